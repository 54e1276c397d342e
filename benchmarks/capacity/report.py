"""Figures as text for people, and as lines for programs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from benchmarks.capacity.figures import Figures, Spread, Trace

DISTURBED = 0.1

DELAYS = {
    "final": "end of speech to final with sentiment",
    "shown": "end of speech to all of it on the screen",
    "first": "begin of speech to the first text of it",
    "finished": "stop to finished",
    "final_by_words": "end of speech to its last word final",
    "shown_by_words": "end of speech to its last word on the screen",
}


def tell(row: Figures) -> Iterator[str]:
    """The lines of one run."""
    utterances = "" if row.utterances is None else f"{row.utterances} utterances ({row.cut} cut), "
    lost = "" if row.lost is None else f"{row.lost} lost, {row.repeated} repeated, "
    yield (
        f"{row.system}: {row.sessions} sessions, {utterances}word error rate {row.word_error_rate} %, "
        f"{lost}{row.unheard} of {row.ends} ends unheard"
    )
    for name, meaning in DELAYS.items():
        spread = getattr(row, name)
        if spread is not None:
            yield f"  {name:<14} {_spread(spread)}   {meaning}"
    yield "  cores          " + "  ".join(f"{name} {value:.2f}" for name, value in row.cores.items())
    if row.elsewhere > DISTURBED:
        yield f"  disturbed: other programs kept {row.elsewhere} cores busy, do not trust these figures"
    yield "  megabytes      " + "  ".join(
        f"{name} {value} ({row.growth[name]:+d})" for name, value in row.megabytes.items()
    )


def compare(rows: Sequence[Figures], held: Mapping[str, int], bar_s: float | None) -> Iterator[str]:
    """A table of all runs by words, and what each system holds."""
    yield "| system | speakers | final, median | 95th percentile | shown, 95th percentile | word error rate |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        median, high = _columns(row.final_by_words)
        _, shown = _columns(row.shown_by_words)
        yield f"| {row.system} | {row.sessions} | {median} | {high} | {shown} | {row.word_error_rate:.1f} % |"
    for name, count in held.items():
        yield f"{name} holds {count} sessions within {bar_s:g} s"


def trace_lines(name: str, sessions: int, trace: Trace) -> Iterator[str]:
    """Each delay as a line of JSON."""
    for by, delays in (("utterance", trace.by_utterances), ("words", trace.by_words)):
        for session, one in enumerate(delays):
            for delay in one:
                yield json.dumps({"system": name, "sessions": sessions, "session": session, "by": by, **asdict(delay)})


def _spread(spread: Spread) -> str:
    median, high, most = spread
    return f"p50 {median:>6.2f} s   p95 {high:>6.2f} s   max {most:>6.2f} s"


def _columns(spread: Spread | None) -> tuple[str, str]:
    return ("-", "-") if spread is None else (f"{spread[0]:.2f} s", f"{spread[1]:.2f} s")
