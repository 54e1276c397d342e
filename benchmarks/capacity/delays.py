"""How long after the end of speech what was said is final, and is shown, by utterances as Undertone numbers them.

``words`` measures the same by words, for systems that know no utterances.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.capacity.seen import Seen
from models.speech.segmenter import SegmentRules
from undertone.audio import SAMPLE_RATE

RULES = SegmentRules()


@dataclass(frozen=True, slots=True)
class Delay:
    """The delays of one utterance, or of the words up to one end of speech; None where there is nothing to measure.

    ``start`` and ``end`` are samples, where speech begins and ends. From ``end``, in seconds: ``final_s`` to the final
    with its sentiment at the viewer, ``shown_s`` to the first text on the screen that covers all that was said.
    From ``start``: ``first_s`` to the first text of it.
    """

    start: int
    end: int
    final_s: float | None
    shown_s: float | None
    first_s: float | None = None


def measure_utterances(seen: Seen) -> tuple[list[Delay], int]:
    """The delays of each utterance, and how many were cut because they were too long.

    A cut is no end of speech: somebody goes on speaking there, and what was said before is on the screen as partials.
    So ``final_s`` and ``shown_s`` are None for one that was cut (the next begins where it ends).

    ``shown_s`` is what a reader would call shown: the first text, partial or final, for which all speech of the
    utterance had been heard. An earlier one may happen to have the last word already, and does not count; text that is
    empty does not either.
    """
    starts = {final.start for final in seen.finals.values()}
    delays = []
    for final in seen.finals.values():
        is_cut = final.end in starts
        onset, end = final.start + RULES.pre_roll, final.end - RULES.hang_over
        texts = [text for text in seen.texts if text.start == final.start and text.text]
        shown = min((text.at_s for text in texts if text.heard >= end), default=None)
        first = min((text.at_s for text in texts), default=None)
        delays.append(
            Delay(
                start=onset,
                end=end,
                final_s=None if is_cut else _since(seen, end, final.at_s),
                shown_s=None if is_cut else _since(seen, end, shown),
                first_s=_since(seen, onset, first),
            )
        )
    return delays, sum(final.end in starts for final in seen.finals.values())


def known(values: Sequence[float | None]) -> list[float]:
    """Those that were measured."""
    return [value for value in values if value is not None]


def _since(seen: Seen, sample: int, at_s: float | None) -> float | None:
    return None if at_s is None else at_s - seen.began_s - sample / SAMPLE_RATE
