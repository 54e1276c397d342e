"""The figures and verdicts of the hostile clients, the tallies of attackers, and what a viewer counts."""

import json
import math
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.hostile.attacks import ATTACKS
from benchmarks.hostile.audience import Viewer, gather, make_viewers
from benchmarks.hostile.figures import Round, Row, Spoken, Watched, differing, judge, table
from benchmarks.hostile.past import HOURS, UTTERANCES, long_session, make_session_keys
from benchmarks.hostile.stranger import Given, error_code, read_head
from benchmarks.hostile.tally import Tally, add_tallies, tally_table
from benchmarks.viewers.stream import Block
from undertone.audio import to_samples
from undertone.events import Session, Utterance, Window
from undertone.session_keys import SessionKeys
from undertone.tokens import check_token

SECRET = "a-secret-of-the-tests-alone-and-no-other"
SPOKEN = Spoken(
    sent=32_000,
    acknowledged=32_000,
    heard=32_000,
    counted=2,
    finals=((0, 9000, "one"), (10_000, 20_000, "two"), (21_000, 30_000, "")),
    final_s=(1.0, 1.2),
    shown_s=(0.5, 0.6),
    ack_s=(0.02, 0.04),
)
ROUND = Round((SPOKEN, SPOKEN), Watched(), (0.01, 0.02), 0, {"web": 100.0})
SESSION, OTHER = (make_session_keys(SECRET, HOURS).session_id for _ in range(2))


def broken(disturbed: Round) -> list[str]:
    """The figures whose bound a disturbed round breaks."""
    return [row.figure for row in judge(ROUND, disturbed) if row.is_broken]


def with_speaker(**given: object) -> Round:
    """The round, but for the first speaker."""
    return replace(ROUND, speakers=(replace(SPOKEN, **given), SPOKEN))  # type: ignore[arg-type]


def test_an_undisturbed_round_breaks_no_bound_of_its_own() -> None:
    assert broken(ROUND) == []


@pytest.mark.parametrize(
    ("disturbed", "figure"),
    [
        (with_speaker(final_s=(5.0, 6.0)), "final: 95 %, s"),
        (with_speaker(finals=SPOKEN.finals[1:], counted=1), "utterances that differ"),
        (with_speaker(finals=((0, 9000, "won"), *SPOKEN.finals[1:])), "utterances that differ"),
        (with_speaker(counted=3), "finals that never came"),
        (with_speaker(counted=None), "finals that never came"),
        (with_speaker(acknowledged=31_000), "samples acknowledged, not heard"),
        (with_speaker(heard=31_000), "samples acknowledged, not heard"),
        (with_speaker(trouble="kafka_away"), "recordings in trouble"),
        (with_speaker(unseen=1), "finals a viewer missed"),
        (replace(ROUND, watched=Watched(missed=1)), "finals a viewer missed"),
        (replace(ROUND, watched=Watched(repeated=1)), "finals a viewer saw twice"),
        (replace(ROUND, unanswered=1), "health checks unanswered"),
        (replace(ROUND, ended=("web",)), "processes that ended"),
        (replace(ROUND, megabytes={"web": 251.0}), "web, MB"),
        (replace(ROUND, megabytes={"web": 100.0, "web's helper": 101.0}), "web's helper, MB"),
    ],
)
def test_each_bound_can_be_broken(disturbed: Round, figure: str) -> None:
    assert broken(disturbed) == [figure]


def test_what_lies_at_its_bound_holds() -> None:
    slower = replace(ROUND, speakers=(replace(SPOKEN, final_s=(2.0, 2.4)),) * 2, megabytes={"web": 250.0})
    assert broken(slower) == []


def test_no_finals_at_all_are_not_fast() -> None:
    silent = replace(ROUND, speakers=(replace(SPOKEN, final_s=()),) * 2)
    assert broken(silent) == ["final: 95 %, s"]
    assert next(row for row in judge(ROUND, silent) if row.figure == "final: 95 %, s").cells()[2] == "none"


def test_a_repeated_utterance_differs_and_order_does_not_count() -> None:
    one = SPOKEN.finals[0]
    assert differing([SPOKEN], [replace(SPOKEN, finals=(*SPOKEN.finals, one))]) == 1
    assert differing([SPOKEN], [replace(SPOKEN, finals=SPOKEN.finals[::-1])]) == 0


def test_a_row_of_the_table() -> None:
    lines = table(
        [Row("final: 95 %, s", 1.2, 3.12, 2.4), Row("shown", 0.0, math.inf), Row("web, MB", 100.0, 150.0, 250.0)]
    )
    assert lines[0] == "| figure | undisturbed | disturbed | ratio | bound | verdict |"
    assert lines[2:] == [
        "| final: 95 %, s | 1.20 | 3.12 | 2.60 | 2.40 | BROKEN |",
        "| shown | 0 | none |  |  |  |",
        "| web, MB | 100 | 150 | 1.50 | 250 | holds |",
    ]


def test_tallies_of_several_processes_are_added_and_pass_as_json() -> None:
    one = Tally(Counter({"200": 2}), sent_bytes=2_000_000, acknowledged=2, connections=1, busy_s=0.5)
    other = Tally(Counter({"200": 1, "429 too_many_sessions": 4}), received_bytes=500_000, connections=3)
    passed = [Tally.from_json(json.loads(json.dumps(each.as_json()))) for each in (one, other)]
    total = add_tallies(passed)
    assert total.answers == {"200": 3, "429 too_many_sessions": 4}
    assert tally_table({"gaps": total})[-1] == (
        "| gaps | 429 too_many_sessions (4), 200 (3) | 2 | 4 | 2.0 | 0.5 | 0.5 |"
    )
    many = Tally(Counter({str(status): 9 - status for status in range(8)}))
    assert "others (5)" in tally_table({"many": many})[-1]


def test_what_an_attacker_is_given_passes_as_json() -> None:
    keys = SessionKeys("session", "write", "read")
    given = Given("http://127.0.0.1:8000", "127.0.1.1", "key", keys, SessionKeys("old", "w", "r"), hand=1)
    assert Given.from_json(json.loads(json.dumps(given.as_json()))) == given


def test_answers_are_read_as_they_come() -> None:
    assert read_head(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\nX: a:b\r\n\r\n") == (
        429,
        {b"content-length": b"2", b"x": b"a:b"},
    )
    assert error_code(429, b'{"code": "too_many_sessions"}') == "too_many_sessions"
    assert error_code(200, b'{"code": "x"}') == error_code(500, b"<html>") == error_code(400, b"[]") == ""


def test_ten_attackers_at_least() -> None:
    assert len(ATTACKS) >= 10


def utterance(session_id: str, number: int, name: bytes = b"utterance") -> Block:
    """An event that shows one final."""
    return Block(name, b"id", f'{{"utterance_id":"{session_id}-{number:012d}"}}'.encode())


def test_a_viewer_counts_what_it_misses_and_what_comes_twice() -> None:
    viewer = Viewer("http://127.0.0.1", "/", (SESSION,))
    viewer.take(utterance(SESSION, 1, b"snapshot"))
    viewer.take(utterance(SESSION, 2))
    viewer.take(utterance(OTHER, 5))
    viewer.take(Block(b"reset", None, b"{}"))
    viewer.take(utterance(SESSION, 2, b"snapshot"))
    assert (viewer.repeated, viewer.resets, viewer.last_id) == (0, 1, "id")
    viewer.take(utterance(SESSION, 2))
    finals = {SESSION: [f"{SESSION}-{number:012d}" for number in (1, 2, 3)], OTHER: [f"{OTHER}-{5:012d}"]}
    assert gather([viewer], finals) == Watched(missed=1, repeated=1, resets=1)


def test_half_of_the_viewers_follow_everything_and_half_one_session() -> None:
    given = {"url": "http://127.0.0.1", "key": "key", "sessions": [[SESSION, "a"], [OTHER, "b"]], "viewers": 10}
    viewers = make_viewers(given)
    assert [viewer.sessions for viewer in viewers[:4]] == [(SESSION, OTHER), (SESSION,), (SESSION, OTHER), (OTHER,)]
    assert [viewer.key is None for viewer in viewers] == [False, True] * 5
    assert sum(viewer.is_restless for viewer in viewers) == 2


def test_the_long_session_has_thousands_of_windows_and_its_tokens_open_it() -> None:
    keys = make_session_keys(SECRET, HOURS)
    check_token([SECRET], keys.write_token, keys.session_id, "write")
    events = [item.event for item in long_session(keys.session_id)]
    (whole,) = [event for event in events if isinstance(event, Session)]
    assert (whole.session_id, whole.state, whole.through) == (keys.session_id, "ended", to_samples(HOURS * 3_600_000))
    utterances = [event for event in events if isinstance(event, Utterance)]
    assert len({event.utterance_id for event in utterances}) == len(utterances) == UTTERANCES
    sizes = Counter(event.size_ms for event in events if isinstance(event, Window))
    assert sizes[0] == 1
    assert sizes[10_000] > 5000
