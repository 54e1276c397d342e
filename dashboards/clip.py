"""What was said in an utterance, as sound: put together from the records of its session's log, written as WAV. Pure."""

import io
import re
import wave

from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from undertone.records import Audio, AudioRecord
from undertone.session_log import LogState

MEDIA_TYPE = "audio/wav"
_ONE_RANGE = re.compile(r"bytes=([0-9]{0,12})-([0-9]{0,12})")


class Clip:
    """The samples of an utterance from ``first`` to ``end``.

    What counts is what the transcriber counts (``undertone.session_log``). It begins with the record that holds
    ``first``, and takes the following ones of the session's log, in their order. A gap is silence. ``opened_offset`` is
    the offset of the ``Open`` that was current there, if it is known.
    """

    def __init__(self, first: int, end: int, opened_offset: int | None = None) -> None:
        self._first = first
        self._end = end
        self._opened_offset = opened_offset
        self._state: LogState | None = None
        self._pcm = bytearray((end - first) * BYTES_PER_SAMPLE)

    @property
    def is_whole(self) -> bool:
        """Whether the log has told all of it."""
        return self._state is not None and self._state.expected >= self._end

    @property
    def pcm(self) -> bytes:
        """The samples; those that have not come, or never were, are silence."""
        return bytes(self._pcm)

    def add(self, offset: int, record: AudioRecord) -> None:
        """Take the next record, which has this offset."""
        if self._state is None:
            if not isinstance(record, Audio) or not record.fresh(self._first):
                return
            self._state = LogState(record.connection, self._opened_offset, self._first)
        before = self._state
        self._state = before.after(offset, record)
        if isinstance(record, Audio) and before.counts(record):
            self._put(before.expected, record.fresh(before.expected))

    def _put(self, sample: int, pcm: bytes) -> None:
        at = (sample - self._first) * BYTES_PER_SAMPLE
        self._pcm[at : at + len(pcm)] = pcm[: max(len(self._pcm) - at, 0)]


def wav(pcm: bytes) -> bytes:
    """The file of these samples: PCM s16le, mono, 16 kHz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(BYTES_PER_SAMPLE)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(pcm)
    return file.getvalue()


def asked_part(asked: str | None, length: int) -> slice | None:
    """Which bytes of so many a ``Range`` header asks for; None for all of them.

    Browsers ask for one range, Safari for its first two bytes before all else. Whatever else is asked is answered with
    the whole, as RFC 9110 (14.2) allows.
    """
    found = _ONE_RANGE.fullmatch(asked or "")
    if found is None:
        return None
    first, last = found.groups()
    if first:
        part = slice(int(first), min(int(last) + 1, length) if last else length)
    else:
        part = slice(max(length - int(last or 0), 0), length)
    return part if part.start < part.stop else None
