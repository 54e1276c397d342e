"""What is said in a run: three short sessions of real speech, the same for the same number. Pure, but for the clips."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from tests.clips import read_clip, silence
from undertone.audio import to_samples

SCRIPTS = 3
FRAME_SAMPLES = to_samples(100)
SHORT = ("LJ001-0002.flac", "LJ001-0008.flac", "1688-142285-0002.flac")


@dataclass(frozen=True)
class Part:
    """One session: its title, its samples, and where so many samples of them are a gap instead."""

    title: str
    pcm: bytes
    gap_at: int
    gap_samples: int

    @property
    def samples(self) -> int:
        """The length of the session."""
        return len(self.pcm) // 2

    def pieces(self, start: int, end: int) -> Iterator[bytes | int]:
        """From sample ``start`` to ``end`` in pieces as a recorder writes them: samples, or the length of a gap."""
        at = start
        while at < end:
            if at == self.gap_at:
                yield self.gap_samples
                at += self.gap_samples
                continue
            to = min(end, at + FRAME_SAMPLES, self.gap_at if at < self.gap_at else end)
            yield self.pcm[2 * at : 2 * to]
            at = to


@dataclass(frozen=True)
class Script:
    """All sessions of a run, told side by side."""

    number: int
    parts: tuple[Part, ...]

    def stretches(self, lengths: Sequence[float]) -> Iterator[dict[str, int]]:
        """How far each session goes by the end of each stretch, by relative lengths; the last is its whole."""
        for number, done in enumerate(accumulate(lengths), 1):
            share = 1.0 if number == len(lengths) else done / sum(lengths)
            yield {part.title: _place(part, share) for part in self.parts}


def make_script(number: int) -> Script:
    """One of ``SCRIPTS``: with pauses and a gap; with speech longer than an utterance may be; in two languages."""
    random = Random(number)

    def pause() -> bytes:
        return silence(random.randrange(1100, 1900, 50))

    def short(count: int) -> list[bytes]:
        return [read_clip(random.choice(SHORT)) for _ in range(count)]

    first = read_clip("LJ001-0002.flac")
    with_pauses = [first, *short(3), read_clip("jfk.flac"), *short(2)]
    breathless = [read_clip("jfk.flac"), *short(3), read_clip("jfk.flac"), *short(2)]
    mixed = [*short(1), read_clip("korean.flac"), read_clip("noise.flac"), *short(2)]
    return Script(
        number,
        (
            _part("with pauses", [clip + pause() for clip in with_pauses], len(first) // 2 + to_samples(200)),
            _part("breathless", breathless),
            _part("mixed", [clip + pause() for clip in mixed]),
        ),
    )


def _part(title: str, clips: Sequence[bytes], gap_at: int = -1) -> Part:
    return Part(title, b"".join(clips), gap_at, to_samples(600) if gap_at >= 0 else 0)


def _place(part: Part, share: float) -> int:
    """Where a share of a session ends; never within its gap."""
    sample = round(part.samples * share)
    return part.gap_at if part.gap_at < sample < part.gap_at + part.gap_samples else sample
