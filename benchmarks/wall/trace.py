"""What a trace of Chromium says of a page's main thread, summed up as its developer tools do it. Pure.

A trace is the list of events that ``Tracing.start`` gives out; times in it are microseconds. The time of an event is
its own: its duration less that of the events within it that have a kind themselves. Others, ``v8.callFunction`` for
one, count as a part of the event round them. Kinds are those of the summary in the Performance panel, by
``eventStylesMap`` in ``front_end/models/trace/Styles.ts`` of github.com/ChromeDevTools/devtools-frontend. So scripting
is to run and to compile scripts, timers, microtasks, and to collect garbage.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Event = Mapping[str, Any]
Kind = Literal["scripting", "rendering", "painting", "loading", "other"]

CATEGORIES = (
    "devtools.timeline",
    "disabled-by-default-devtools.timeline",
    "blink.user_timing",
    "v8",
    "v8.execute",
    "cppgc",
)
TASK = "RunTask"
NAVIGATION = "navigationStart"
_NAMES: Mapping[Kind, str] = {
    "scripting": (
        "EventDispatch EvaluateScript v8.evaluateModule v8.compile v8.compileModule v8.produceCache "
        "v8.produceModuleCache V8.CompileCode V8.OptimizeCode v8.deserializeOnBackground V8.FinalizeDeserialization "
        "FunctionCall RunMicrotasks TimerInstall TimerRemove TimerFire RequestAnimationFrame CancelAnimationFrame "
        "FireAnimationFrame RequestIdleCallback CancelIdleCallback FireIdleCallback XHRReadyStateChange XHRLoad "
        "SchedulePostTaskCallback RunPostTaskCallback AbortPostTaskCallback V8Console::runTask EmbedderCallback "
        "GCEvent MinorGC MajorGC CppGC.IncrementalSweep BlinkGC.AtomicPhase"
    ),
    "rendering": (
        "Animation HitTest UpdateLayoutTree ScheduleStyleRecalculation Layout Layerize PrePaint UpdateLayerTree "
        "ScrollLayer IntersectionObserverController::computeIntersections"
    ),
    "painting": "PaintSetup Paint PaintImage Commit CompositeLayers RasterTask UpdateLayer",
    "loading": "ParseHTML ParseAuthorStyleSheet ResourceReceivedData",
    "other": TASK,
}
KINDS: Mapping[str, Kind] = {name: kind for kind, names in _NAMES.items() for name in names.split(" ")}


@dataclass(frozen=True)
class Mark:
    """A moment on a page's main thread."""

    process: int
    thread: int
    at_us: float


@dataclass(frozen=True)
class Stretch:
    """A stretch of a page's main thread. Shares are of one core: of the time that passed."""

    seconds: float
    scripting: float
    rendering: float
    painting: float
    busy: float
    scripting_on_core: float | None
    longest_task_ms: float
    tasks_over_50_ms: int
    tasks_over_100_ms: int


def find_mark(trace: Iterable[Event], name: str, before: Mark | None = None) -> Mark:
    """The last ``performance.mark`` of that name, or the last ``NAVIGATION``: on the thread of and before a later one.

    Raises ``LookupError`` where there is none: the trace did not reach so far.
    """
    marks = [
        Mark(event["pid"], event["tid"], event["ts"])
        for event in trace
        if event["name"] == name and "blink.user_timing" in event["cat"] and event["ph"] != "e"
    ]
    if before is not None:
        marks = [
            mark
            for mark in marks
            if (mark.process, mark.thread) == (before.process, before.thread) and mark.at_us <= before.at_us
        ]
    if not marks:
        raise LookupError(f"the trace has no mark {name}: was there room for all of it?")
    return max(marks, key=lambda mark: mark.at_us)


def sum_up(trace: Iterable[Event], begin: Mark, end: Mark) -> Stretch:
    """What lies wholly between two marks of a thread."""
    within = [
        event
        for event in trace
        if event["ph"] == "X"
        and (event["pid"], event["tid"]) == (begin.process, begin.thread)
        and event["name"] in KINDS
        and begin.at_us <= event["ts"]
        and event["ts"] + event.get("dur", 0) <= end.at_us
    ]
    own_us = dict.fromkeys(_NAMES, 0.0)
    for event, own in _own_times(within, "dur"):
        own_us[KINDS[event["name"]]] += own
    passed_us = end.at_us - begin.at_us
    tasks_ms = [event.get("dur", 0) / 1000 for event in within if event["name"] == TASK]
    return Stretch(
        seconds=round(passed_us / 1e6, 2),
        scripting=round(own_us["scripting"] / passed_us, 4),
        rendering=round(own_us["rendering"] / passed_us, 4),
        painting=round(own_us["painting"] / passed_us, 4),
        busy=round(sum(own_us.values()) / passed_us, 4),
        scripting_on_core=_on_core(within, passed_us),
        longest_task_ms=round(max(tasks_ms, default=0.0), 1),
        tasks_over_50_ms=sum(task > 50 for task in tasks_ms),
        tasks_over_100_ms=sum(task > 100 for task in tasks_ms),
    )


def _on_core(within: Sequence[Event], passed_us: float) -> float | None:
    """The share of scripting by the thread's own clock, which stands while others have the core; None without one."""
    if not any("tdur" in event for event in within):
        return None
    scripting = (own for event, own in _own_times(within, "tdur") if KINDS[event["name"]] == "scripting")
    return round(sum(scripting) / passed_us, 4)


def _own_times(events: Iterable[Event], clock: str) -> Iterator[tuple[Event, float]]:
    """Each event with its duration less that of those within it, by one of its clocks: ``dur`` or ``tdur``."""
    open_ones: list[tuple[Event, float]] = []
    for event in sorted(events, key=lambda event: (event["ts"], -event.get("dur", 0))):
        while open_ones and _end(open_ones[-1][0]) <= event["ts"]:
            yield open_ones.pop()
        took = event.get(clock, 0)
        if open_ones:
            outer, own = open_ones.pop()
            open_ones.append((outer, own - took))
        open_ones.append((event, took))
    yield from open_ones


def _end(event: Event) -> float:
    return float(event["ts"]) + float(event.get("dur", 0))
