"""The figures of one run of so many speakers at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import jiwer
import numpy as np

from benchmarks.capacity.delays import Delay, known, measure_utterances
from benchmarks.capacity.ends import find_ends, find_spans
from benchmarks.capacity.parts import Spent
from benchmarks.capacity.seen import Seen
from benchmarks.capacity.words import measure_words
from benchmarks.hearing import normalise
from benchmarks.materials import Material

Spread: TypeAlias = tuple[float, float, float]
"""Median, 95th percentile and maximum, in seconds."""

UNHEARD_AT_MOST = 0.05


@dataclass(frozen=True)
class Figures:
    """One row; None for what a system does not tell, or what did not happen.

    ``utterances`` are the system's own, ``cut`` those that were cut for their length; ``ends`` are the ends of speech
    at which the figures by words are taken, ``unheard`` those of them without a word that became final;
    ``elsewhere`` are the cores that other programs kept busy.
    """

    system: str
    sessions: int
    utterances: int | None
    final: Spread | None
    shown: Spread | None
    first: Spread | None
    finished: Spread | None
    word_error_rate: float
    lost: int | None
    repeated: int | None
    cut: int | None
    ends: int
    unheard: int
    final_by_words: Spread | None
    shown_by_words: Spread | None
    cores: dict[str, float]
    megabytes: dict[str, int]
    growth: dict[str, int]
    elsewhere: float


@dataclass(frozen=True)
class Trace:
    """All delays of one run, session by session: by utterances (none if the system knows none) and by words."""

    by_utterances: list[list[Delay]]
    by_words: list[list[Delay]]


def summarise(times: Sequence[float]) -> Spread | None:
    """Median, 95th percentile and maximum; None of nothing."""
    if not times:
        return None
    median, high = np.percentile(times, [50, 95])
    return round(float(median), 2), round(float(high), 2), round(max(times), 2)


def draw_figures(
    name: str, materials: Sequence[Material], sessions: Sequence[Seen], spent: Spent
) -> tuple[Figures, Trace]:
    """The figures of a run of these materials, and the delays behind them."""
    measured = [measure_utterances(seen) for seen in sessions]
    by_utterances = [delays for delays, _ in measured]
    by_words = [_measure_words(material, seen) for material, seen in zip(materials, sessions, strict=True)]
    utterances = [delay for delays in by_utterances for delay in delays]
    words = [delay for delays in by_words for delay in delays]
    counts_utterances = all(seen.counted is not None for seen in sessions)
    lost = sum((seen.counted or 0) - sum(bool(final.text) for final in seen.finals.values()) for seen in sessions)
    references = [normalise(material.reference, "en") for material in materials]
    said = [normalise(seen.said, "en") for seen in sessions]
    figures = Figures(
        system=name,
        sessions=len(materials),
        utterances=len(utterances) if counts_utterances else None,
        final=summarise(known([delay.final_s for delay in utterances])),
        shown=summarise(known([delay.shown_s for delay in utterances])),
        first=summarise(known([delay.first_s for delay in utterances])),
        finished=summarise([seen.finished_s - seen.stopped_s for seen in sessions if seen.finished_s is not None]),
        word_error_rate=round(100 * jiwer.wer(references, said), 2),
        lost=lost if counts_utterances else None,
        repeated=sum(seen.repeated for seen in sessions) if counts_utterances else None,
        cut=sum(cut for _, cut in measured) if counts_utterances else None,
        ends=len(words),
        unheard=sum(delay.final_s is None for delay in words),
        final_by_words=summarise(known([delay.final_s for delay in words])),
        shown_by_words=summarise(known([delay.shown_s for delay in words])),
        cores=spent.cores,
        megabytes=spent.megabytes,
        growth=spent.growth,
        elsewhere=spent.elsewhere,
    )
    return figures, Trace(by_utterances, by_words)


def holds(figures: Figures, bar_s: float, *, by_words: bool) -> bool:
    """Whether the 95th percentile of end of speech to final is within the bar, and nothing was lost or repeated.

    By words, a twentieth of the ends may be unheard: clips that no system understands, and not words that it lost.
    """
    spread = figures.final_by_words if by_words else figures.final
    if spread is None or figures.lost or figures.repeated:
        return False
    return spread[1] <= bar_s and figures.unheard <= UNHEARD_AT_MOST * figures.ends


def _measure_words(material: Material, seen: Seen) -> list[Delay]:
    spans = find_spans(material)
    return measure_words(seen, [str(placed.clip.reference) for placed in material.clips], spans, find_ends(spans))
