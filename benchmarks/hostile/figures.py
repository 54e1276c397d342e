"""The figures of honest clients in two rounds, undisturbed and under attack, and the verdict on each. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

LATER_AT_MOST = 2.0
MEMORY_AT_MOST = 1.5
MEMORY_MORE_MB = 100.0

Final: TypeAlias = tuple[int, int, str]
"""First sample, end sample and text of a stored utterance; the text is empty where it was suppressed."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one honest speaker sent and what came of it.

    ``heard`` and ``counted`` are the samples and utterances of ``finished``, None where it never came. ``finals`` are
    the stored utterances. ``final_s`` and ``shown_s`` are delays from the end of speech, ``ack_s`` from the moment a
    frame was due to its acknowledgement; ``unseen`` counts finals that the measuring viewer was never shown.
    """

    sent: int
    acknowledged: int
    heard: int | None
    counted: int | None
    finals: tuple[Final, ...]
    final_s: tuple[float, ...]
    shown_s: tuple[float, ...]
    ack_s: tuple[float, ...]
    unseen: int = 0
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """What all viewers together saw: finals that a viewer missed or was sent twice, resets, and refused requests."""

    missed: int = 0
    repeated: int = 0
    resets: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Round:
    """One round. ``probe_s`` are delays of health checks, each on a connection of its own, ``unanswered`` those failed.

    ``megabytes`` is the highest memory of each process by name, ``ended`` the processes that did not last.
    """

    speakers: tuple[Spoken, ...]
    watched: Watched
    probe_s: tuple[float, ...]
    unanswered: int
    megabytes: Mapping[str, float] = field(default_factory=dict)
    ended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result; ``bound`` is the highest value that holds, None where the figure is for information."""

    figure: str
    undisturbed: float
    disturbed: float
    bound: float | None = None

    @property
    def is_broken(self) -> bool:
        """Whether the disturbed figure is beyond its bound."""
        return self.bound is not None and not self.disturbed <= self.bound

    @property
    def ratio(self) -> float | None:
        """Disturbed over undisturbed; None where the undisturbed figure is 0 or either is unknown."""
        if self.undisturbed <= 0 or not (math.isfinite(self.undisturbed) and math.isfinite(self.disturbed)):
            return None
        return self.disturbed / self.undisturbed

    def cells(self) -> list[str]:
        """The cells of its line in the table."""
        verdict = "" if self.bound is None else "BROKEN" if self.is_broken else "holds"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        bound = "" if self.bound is None else _number(self.bound)
        return [self.figure, _number(self.undisturbed), _number(self.disturbed), ratio, bound, verdict]


def judge(undisturbed: Round, disturbed: Round) -> list[Row]:
    """All figures of the two rounds side by side, with the bounds of the honest clients."""
    return [
        *_delays(undisturbed, disturbed),
        *_losses(undisturbed, disturbed),
        *_memory(undisturbed.megabytes, disturbed.megabytes),
    ]


def table(rows: Iterable[Row]) -> list[str]:
    """The rows as a table in Markdown."""
    heads = ["figure", "undisturbed", "disturbed", "ratio", "bound", "verdict"]
    lines = [heads, ["---"] * len(heads), *(row.cells() for row in rows)]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def differing(before: Sequence[Spoken], after: Sequence[Spoken]) -> int:
    """Counts utterances that only one of two rounds has, speaker by speaker."""
    count = 0
    for one, other in zip(before, after, strict=True):
        kept, now = Counter(one.finals), Counter(other.finals)
        count += max((kept - now).total(), (now - kept).total())
    return count


def _delays(before: Round, after: Round) -> list[Row]:
    rows = []
    for name, picked in (("final", "final_s"), ("shown", "shown_s"), ("acknowledged", "ack_s")):
        first, second = ([value for one in each.speakers for value in getattr(one, picked)] for each in (before, after))
        for words, share in (("median", 50), ("95 %", 95), ("slowest", 100)):
            low, high = _percentile(first, share), _percentile(second, share)
            bound = LATER_AT_MOST * low if (name, share) == ("final", 95) else None
            rows.append(Row(f"{name}: {words}, s", low, high, bound))
    for words, share in (("95 %", 95), ("slowest", 100)):
        rows.append(
            Row(f"health check: {words}, s", _percentile(before.probe_s, share), _percentile(after.probe_s, share))
        )
    return rows


def _losses(before: Round, after: Round) -> list[Row]:
    def row(figure: str, first: float, second: float) -> Row:
        return Row(figure, first, second, 0)

    finals = [sum(len(one.finals) for one in each.speakers) for each in (before, after)]
    return [
        Row("utterances stored", *map(float, finals)),
        row("utterances that differ", 0, differing(before.speakers, after.speakers)),
        row("finals that never came", *(_uncounted(each.speakers) for each in (before, after))),
        row("samples acknowledged, not heard", *(_unheard(each.speakers) for each in (before, after))),
        row(
            "recordings in trouble",
            *(sum(one.trouble is not None for one in each.speakers) for each in (before, after)),
        ),
        row("finals a viewer missed", *(_missed(each) for each in (before, after))),
        row("finals a viewer saw twice", before.watched.repeated, after.watched.repeated),
        Row("streams reset", before.watched.resets, after.watched.resets),
        Row("streams refused", before.watched.refused, after.watched.refused),
        row("health checks unanswered", before.unanswered, after.unanswered),
        row("processes that ended", len(before.ended), len(after.ended)),
    ]


def _memory(before: Mapping[str, float], after: Mapping[str, float]) -> list[Row]:
    """A process that was not there undisturbed counts as one of 0 MB."""
    return [
        Row(
            f"{name}, MB",
            before.get(name, 0.0),
            after.get(name, 0.0),
            MEMORY_AT_MOST * before.get(name, 0.0) + MEMORY_MORE_MB,
        )
        for name in sorted({*before, *after})
    ]


def _missed(each: Round) -> int:
    return each.watched.missed + sum(one.unseen for one in each.speakers)


def _uncounted(speakers: Iterable[Spoken]) -> int:
    """Finals that ``finished`` counts and the history lacks, and one for a ``finished`` that never came."""
    return sum(
        1 if one.counted is None else abs(one.counted - sum(bool(text) for _, _, text in one.finals))
        for one in speakers
    )


def _unheard(speakers: Iterable[Spoken]) -> int:
    """Samples that were acknowledged and lie beyond the end of what was heard, or were sent and not acknowledged."""
    return sum(one.sent - min(one.acknowledged, one.heard or 0) for one in speakers)


def _percentile(values: Sequence[float], share: int) -> float:
    """The percentile; infinite where there are no values, so that nothing at all is not taken for fast."""
    return float(np.percentile(values, share)) if len(values) else math.inf


def _number(value: float) -> str:
    if math.isinf(value):
        return "none"
    return f"{value:,.0f}" if value == round(value) or value >= 100 else f"{value:.3g}" if value < 1 else f"{value:.2f}"
