"""Decodes WAV, FLAC, OGG, MP3 or WebM piece by piece, in the process that calls it, and says what is wrong with a file.

``formats`` finds the recordings in the file, and each of them is given to PyAV by the name of its format. Every verdict
is a function of the bytes of the file and of ``DecodeLimits``.
"""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from undertone.errors import Refusal
from undertone.recording.formats import Part, find_parts
from undertone.recording.limits import DecodeLimits, file_too_long
from undertone.recording.part_decoder import PartDecoder
from undertone.recording.report import Note, Report

_SILENCE = bytes(SAMPLE_RATE * BYTES_PER_SAMPLE)


def decode(file: BinaryIO, limits: DecodeLimits) -> Iterator[bytes]:
    """The pieces of a ``Decoding``, without its report."""
    return Decoding(file, limits).pieces()


class Decoding:
    """One decode of a file that is seekable and is read from its beginning."""

    def __init__(self, file: BinaryIO, limits: DecodeLimits) -> None:
        self._file = file
        self._limits = limits
        self._file_bytes = file.seek(0, 2)
        self._samples = 0
        self._peak = 0
        self._notes = dict[str, Note]()

    @property
    def report(self) -> Report:
        """What there is to say of the pieces so far; of the whole file once they have ended."""
        return Report(self._samples, self._peak, tuple(self._notes.values()))

    def pieces(self) -> Iterator[bytes]:
        """PCM of the file, in pieces as they come, never empty ones. To be read once.

        Raises ``Refusal``, perhaps after some pieces: ``file_empty``, ``not_audio``, ``no_audio_stream``,
        ``sample_rate_unsupported``, ``channels_unsupported``, ``file_damaged``, ``file_too_long``,
        ``file_expands_too_much`` or ``file_too_complex``. ``MemoryError`` where more would be needed than this process
        may have.
        """
        for part in find_parts(self._file):
            try:
                yield from self._decode_part(part)
            except Refusal as refusal:
                if not self._samples or refusal.code not in {"not_audio", "no_audio_stream"}:
                    raise  # what follows a recording need not be another
        if not self._samples:
            raise Refusal("file_empty", "the file holds no audio: record again", status=422)

    def _decode_part(self, part: Part) -> Iterator[bytes]:
        decoder, begins_at = PartDecoder(self._file, part), self._samples
        for placed in decoder.pieces():
            if isinstance(placed, int):
                yield from self._fill(begins_at + placed)
            else:
                self._check_length(self._samples + len(placed) // BYTES_PER_SAMPLE)
                yield self._count(placed)
        for note in decoder.notes:
            self._notes.setdefault(note.code, note)
        if decoder.is_truncated:
            self._notes["file_truncated"] = Note(
                "file_truncated",
                f"the file ends after {self._samples / SAMPLE_RATE:.1f} s, before the end that its header states: "
                "what there is of it is taken",
            )

    def _fill(self, until: int) -> Iterator[bytes]:
        """Silence up to a sample."""
        self._check_length(until)
        while self._samples < until:
            yield self._count(_SILENCE[: (until - self._samples) * BYTES_PER_SAMPLE])

    def _count(self, pcm: bytes) -> bytes:
        samples = np.frombuffer(pcm, "<i2")
        self._samples += len(samples)
        self._peak = max(self._peak, int(samples.max()), -int(samples.min()))
        return pcm

    def _check_length(self, samples: int) -> None:
        if samples > self._limits.max_samples:
            raise file_too_long(self._limits.max_samples)
        if samples > self._limits.most_samples(self._file_bytes):
            raise Refusal(
                "file_expands_too_much",
                f"the file of {self._file_bytes} bytes expands to more than {samples // SAMPLE_RATE} s of audio, more "
                "than any recording does: export it again, as WAV or MP3",
                status=422,
            )
