"""The pure parts of the capacity benchmark: delays, what the viewer sees, the search, the figures."""

import asyncio
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.capacity.__main__ import read_arguments
from benchmarks.capacity.delays import RULES, Delay, measure_utterances
from benchmarks.capacity.figures import Figures, Trace, holds, summarise
from benchmarks.capacity.parts import Meter
from benchmarks.capacity.report import compare, tell, trace_lines
from benchmarks.capacity.search import largest, next_count
from benchmarks.capacity.seen import Final, Seen, Text, View
from benchmarks.capacity.systems import System
from benchmarks.capacity.undertone import name_part, note
from undertone.audio import SAMPLE_RATE

SECOND = SAMPLE_RATE


def seen_one(*texts: Text, final: Final) -> Seen:
    return Seen(began_s=100.0, texts=list(texts), finals={"one": final})


# Delays by utterances


def test_delays_count_from_the_end_of_speech() -> None:
    start, end = 10 * SECOND, 20 * SECOND
    spoken_s = 100.0 + 20 - RULES.hang_over / SECOND
    seen = seen_one(
        Text(111.0, start, 11 * SECOND, "so"),
        Text(spoken_s + 0.5, start, end, "so much"),
        final=Final(spoken_s + 1.25, start, end, "so much"),
    )
    (delay,), cut = measure_utterances(seen)
    assert cut == 0
    assert (delay.start, delay.end) == (start + RULES.pre_roll, end - RULES.hang_over)
    assert delay.final_s == pytest.approx(1.25)
    assert delay.shown_s == pytest.approx(0.5)
    assert delay.first_s == pytest.approx(111.0 - 110.0 - RULES.pre_roll / SECOND)


def test_text_before_all_was_heard_and_empty_text_are_not_the_words_shown() -> None:
    end = 20 * SECOND
    spoken_s = 100.0 + 20 - RULES.hang_over / SECOND
    seen = seen_one(
        Text(spoken_s + 0.1, 0, end - RULES.hang_over - 1, "so much"),
        Text(spoken_s + 0.2, 0, end, ""),
        Text(spoken_s + 0.3, 7, end, "another utterance"),
        Text(spoken_s + 0.4, 0, end - RULES.hang_over, "so much"),
        final=Final(spoken_s + 1.0, 0, end, "so much"),
    )
    (delay,), _ = measure_utterances(seen)
    assert delay.shown_s == pytest.approx(0.4)


def test_a_cut_is_no_end_of_speech() -> None:
    seen = Seen(began_s=0.0)
    seen.finals = {"cut": Final(30.0, 0, 20 * SECOND, "so"), "rest": Final(31.0, 20 * SECOND, 30 * SECOND, "much")}
    delays, cut = measure_utterances(seen)
    assert cut == 1
    assert [delay.final_s is None for delay in delays] == [True, False]


# What the viewer sees


def event(kind: str, first: int, last: int, text: str) -> dict[str, object]:
    if kind == "partial":
        return {"type": kind, "first_sample": first, "rev": last, "text": text}
    spoken = {"type": kind, "utterance_id": str(first), "first_sample": first, "end_sample": last, "text": text}
    return {**spoken, "quality": {"suppressed": None}}


def test_the_screen_has_finals_in_order_and_the_partial_that_is_not_void() -> None:
    seen = Seen()
    note(seen, 1.0, event("partial", 0, 10, "so"))
    note(seen, 2.0, event("utterance", 0, 20, "so much"))
    note(seen, 3.0, event("partial", 0, 15, "so mu"))
    note(seen, 4.0, event("partial", 30, 40, "for"))
    note(seen, 5.0, event("utterance", 30, 50, "for that"))
    note(seen, 6.0, event("utterance", 0, 20, "so much"))
    note(seen, 7.0, {"type": "window"})
    assert seen.views == [
        View(1.0, "", "so"),
        View(2.0, "so much", ""),
        View(4.0, "so much", "for"),
        View(5.0, "so much for that", ""),
    ]
    assert seen.repeated == 1
    assert seen.said == "so much for that"


def test_a_suppressed_utterance_is_a_final_without_text() -> None:
    seen = Seen()
    note(seen, 1.0, event("utterance", 0, 20, "thank you") | {"quality": {"suppressed": "no speech"}})
    assert [final.text for final in seen.finals.values()] == [""]
    assert seen.views == []


def test_parts_have_their_names() -> None:
    assert name_part("python", ["python", "-m", "undertone.cli", "worker", "classifier"]) == "classifier"
    assert name_part("python", ["python", "-m", "undertone.cli", "up", "--port", "1"]) == "up"
    assert name_part("postgres: checkpointer", []) == "postgres"


async def test_a_meter_reads_what_processes_spend() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", burn, stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    system = System("one", process.pid, lambda: pytest.fail("no session is opened"), lambda _, __: "server")
    meter = Meter(system)
    began_s = time.monotonic()
    await process.stdout.readline()
    took_s = time.monotonic() - began_s
    spent = meter.read()
    await process.communicate(b"\n")
    assert spent.cores.keys() == spent.megabytes.keys() == spent.growth.keys() == {"driver", "server"}
    assert spent.cores["server"] >= 0.1 / took_s
    assert spent.megabytes["server"] >= 5


# The search


@given(st.integers(0, 70), st.integers(1, 70))
def test_the_search_finds_the_largest_that_holds_to_within_a_tenth(capacity: int, start: int) -> None:
    held: dict[int, bool] = {}
    while (count := next_count(held, start)) is not None:
        assert count >= 1
        assert count not in held
        held[count] = count <= capacity
    assert largest(held) <= capacity <= largest(held) * 1.1
    assert len(held) <= 16


def test_what_holds_above_a_failure_does_not_count() -> None:
    assert largest({8: True, 16: False, 20: True}) == 8


# Figures


def figures(**changes: object) -> Figures:
    values: dict[str, object] = {
        "system": "one",
        "sessions": 2,
        "utterances": 9,
        "final": (1.0, 2.0, 3.0),
        "shown": None,
        "first": None,
        "finished": None,
        "word_error_rate": 12.5,
        "lost": 0,
        "repeated": 0,
        "cut": 0,
        "ends": 20,
        "unheard": 1,
        "final_by_words": (1.0, 4.0, 5.0),
        "shown_by_words": (0.5, 0.75, 1.0),
        "cores": {"driver": 0.25},
        "megabytes": {"driver": 100},
        "growth": {"driver": -3},
        "elsewhere": 0.0,
    }
    return Figures(**(values | changes))  # type: ignore[arg-type]


def test_summaries() -> None:
    assert summarise([]) is None
    assert summarise([1.0, 3.0, 2.0]) == (2.0, 2.9, 3.0)


@pytest.mark.parametrize(
    ("changes", "bar_s", "by_words", "held"),
    [
        ({}, 2.0, False, True),
        ({}, 1.9, False, False),
        ({}, 3.9, True, False),
        ({}, 4.0, True, True),
        ({"unheard": 2}, 4.0, True, False),
        ({"lost": 1}, 2.0, False, False),
        ({"repeated": 1}, 2.0, False, False),
        ({"final": None}, 2.0, False, False),
        ({"lost": None, "repeated": None, "final": None}, 4.0, True, True),
    ],
)
def test_a_bar_is_held(changes: dict[str, object], bar_s: float, by_words: bool, held: bool) -> None:
    assert holds(figures(**changes), bar_s, by_words=by_words) is held


def test_reports_have_every_figure() -> None:
    told = "\n".join(tell(figures()))
    assert "one: 2 sessions, 9 utterances (0 cut), word error rate 12.5 %, 0 lost, 0 repeated" in told
    assert "driver 100 (-3)" in told
    assert "disturbed" not in told
    assert "disturbed: other programs kept 0.5 cores busy" in "\n".join(tell(figures(elsewhere=0.5)))
    table = "\n".join(compare([figures(), figures(final_by_words=None)], {"one": 2}, 2.0))
    assert "| one | 2 | 1.00 s | 4.00 s | 0.75 s | 12.5 % |" in table
    assert "| one | 2 | - | - | 0.75 s | 12.5 % |" in table
    assert "one holds 2 sessions within 2 s" in table
    delay = Delay(1, 2, 1.5, None)
    (line,) = trace_lines("one", 2, Trace([[], []], [[], [delay]]))
    assert line == (
        '{"system": "one", "sessions": 2, "session": 1, "by": "words", '
        '"start": 1, "end": 2, "final_s": 1.5, "shown_s": null, "first_s": null}'
    )


def test_the_command_needs_to_know_how_many() -> None:
    assert read_arguments(["m.json", "--sessions", "1", "--sessions", "8"]).sessions == [1, 8]
    assert read_arguments(["m.json", "--search"]).bar == 2.0
    with pytest.raises(SystemExit):
        read_arguments(["m.json"])
