"""The summing up of a trace: whose time is whose, on which thread, and between which marks."""

from typing import Any

import pytest

from benchmarks.wall.trace import NAVIGATION, Mark, find_mark, sum_up

BEGIN, END = Mark(1, 2, 0), Mark(1, 2, 1_000_000)


def event(name: str, at_us: float, took_us: float, **more: Any) -> dict[str, Any]:
    """A complete event on the page's main thread."""
    return {
        "name": name,
        "cat": "devtools.timeline",
        "ph": "X",
        "pid": 1,
        "tid": 2,
        "ts": at_us,
        "dur": took_us,
        **more,
    }


def mark(name: str, at_us: float, thread: int = 2) -> dict[str, Any]:
    """A mark as `performance.mark` leaves it."""
    return {"name": name, "cat": "blink.user_timing", "ph": "I", "pid": 1, "tid": thread, "ts": at_us}


def test_an_event_counts_for_what_is_its_own() -> None:
    found = sum_up(
        [
            event("RunTask", 1000, 500_000),
            event("TimerFire", 2000, 400_000),
            event("FunctionCall", 3000, 300_000),
            event("Layout", 4000, 100_000),
            event("MinorGC", 200_000, 50_000),
            event("Paint", 450_000, 20_000),
        ],
        BEGIN,
        END,
    )
    assert (found.scripting, found.rendering, found.painting, found.busy) == (0.3, 0.1, 0.02, 0.5)


def test_what_has_no_kind_belongs_to_what_is_round_it() -> None:
    found = sum_up([event("TimerFire", 0, 100_000), event("v8.callFunction", 0, 90_000)], BEGIN, END)
    assert found.scripting == 0.1
    assert sum_up([event("v8.callFunction", 0, 90_000)], BEGIN, END).busy == 0


def test_events_that_begin_together_lie_in_the_longest() -> None:
    trace = [event("Layout", 0, 10_000), event("FunctionCall", 0, 30_000), event("RunTask", 0, 50_000)]
    found = sum_up(trace, BEGIN, END)
    assert (found.scripting, found.rendering, found.busy) == (0.02, 0.01, 0.05)


def test_events_one_behind_the_other_are_not_within_each_other() -> None:
    found = sum_up([event("FunctionCall", n * 10_000, 10_000) for n in range(10)], BEGIN, END)
    assert (found.scripting, found.busy) == (0.1, 0.1)


def test_only_the_thread_of_the_marks_counts_and_what_lies_between_them() -> None:
    inside = event("FunctionCall", 500_000, 100_000)
    others = [{**inside, "tid": 3}, {**inside, "pid": 9}, {**inside, "ts": -50_000}, {**inside, "ts": 950_000}]
    assert sum_up([inside, *others, {**inside, "ph": "b"}], BEGIN, END).scripting == 0.1


def test_long_tasks_are_counted() -> None:
    took_ms = (49, 50, 51, 100, 101, 10)
    found = sum_up([event("RunTask", n * 150_000, took * 1000) for n, took in enumerate(took_ms)], BEGIN, END)
    assert (found.longest_task_ms, found.tasks_over_50_ms, found.tasks_over_100_ms) == (101, 3, 1)
    assert sum_up([event("FunctionCall", 0, 200_000)], BEGIN, END).longest_task_ms == 0


def test_the_threads_own_clock_stands_while_others_have_the_core() -> None:
    trace = [event("RunTask", 0, 400_000, tdur=40_000), event("FunctionCall", 0, 300_000, tdur=30_000)]
    trace.append(event("Layout", 100_000, 100_000, tdur=10_000))
    found = sum_up(trace, BEGIN, END)
    assert (found.scripting, found.scripting_on_core) == (0.2, 0.02)
    assert sum_up([event("FunctionCall", 0, 300_000)], BEGIN, END).scripting_on_core is None


def test_a_mark_is_found_on_the_thread_of_a_later_one() -> None:
    trace = [mark(NAVIGATION, 10), mark(NAVIGATION, 20), mark(NAVIGATION, 25, thread=7), mark("begin", 30)]
    trace += [mark(NAVIGATION, 40), event("begin", 50, 1)]
    begin = find_mark(trace, "begin")
    assert begin == Mark(1, 2, 30)
    assert find_mark(trace, NAVIGATION, begin) == Mark(1, 2, 20)
    with pytest.raises(LookupError, match="no mark end"):
        find_mark(trace, "end")
