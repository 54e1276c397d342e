"""A short selection of faults, one of each kind at least; `make fault COUNT=200 SEED=7` has as many as one likes."""

from dataclasses import replace
from pathlib import Path

from tests.fault.account import Account, Figures, Row
from tests.fault.plan import KINDS, RARE, ROUND, make_plan
from tests.fault.runs import run_faults

COUNT = len(ROUND) + len(RARE)
SEED = 1


async def test_faults_of_every_kind_change_nothing(tmp_path: Path) -> None:
    told = list[str]()
    figures = await run_faults(COUNT, SEED, tmp_path, told.append)
    assert figures.is_clean, "\n".join([*told, *figures.complaints])
    assert figures.faults >= COUNT * 2 // 3, told  # a point that nobody passes in time strikes nobody
    assert figures.utterances >= 15, told


def test_the_same_seed_is_the_same_plan_and_one_round_has_every_kind() -> None:
    assert make_plan(200, 7) == make_plan(200, 7) != make_plan(200, 8)
    assert {fault.kind for run in make_plan(COUNT, SEED) for fault in run} == set(KINDS)
    struck = {(fault.kind, fault.target) for run in make_plan(200, 7) for fault in run}
    assert struck == {(kind, target) for kind, targets in KINDS.items() for target in targets}
    assert sum(map(len, make_plan(200, 7))) == 200


def test_what_differs_from_the_twin_is_counted() -> None:
    rows: list[Row] = [{"first_sample": place, "seq": place, "text": "said"} for place in range(4)]
    windows: list[Row] = [{"size_ms": 0, "start_ms": 0, "words": 4}]
    session: list[Row] = [{"title": "one", "seq": 4}]
    twin = Account(tuple(rows), tuple(windows), tuple(session))
    same, other = Figures(), Figures()
    same.compare(twin, replace(twin))
    assert (same.is_clean, same.utterances, same.windows, same.rows) == (True, 4, 1, 1)
    changed = Account(
        (rows[0], rows[1] | {"text": "heard"}, {"first_sample": 9, "seq": 3}), (), ({"title": "one", "seq": 5},), ("!",)
    )
    other.compare(twin, changed)
    assert (other.lost, other.different, other.repeated) == (2, 1, 1)
    assert (other.windows_differ, other.rows_differ, other.complaints) == (1, 1, ["!"])
    assert not other.is_clean
