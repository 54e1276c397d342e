"""What was said in an utterance, as sound: put together from the records of its session's log, written as WAV. Pure."""

import io
import re
import wave

from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from undertone.records import Audio, AudioRecord, Close, Gap, Open

MEDIA_TYPE = "audio/wav"
_ONE_RANGE = re.compile(r"bytes=([0-9]{0,12})-([0-9]{0,12})")


class Clip:
    """The samples from ``first`` to ``end`` of a session.

    What counts is what the transcriber counts: of the recorder that speaks, and each sample once. It begins with the
    record that holds ``first``, and takes the following ones of the session's log, in their order. A gap is silence.
    """

    def __init__(self, first: int, end: int) -> None:
        self._first = first
        self._end = end
        self._expected = first
        self._connection: str | None = None
        self._pcm = bytearray((end - first) * BYTES_PER_SAMPLE)

    @property
    def is_whole(self) -> bool:
        """Whether the log has told all of it."""
        return self._expected >= self._end

    @property
    def pcm(self) -> bytes:
        """The samples; those that have not come, or never were, are silence."""
        return bytes(self._pcm)

    def add(self, record: AudioRecord) -> None:
        """Take the next record."""
        if self._connection is None:
            if not isinstance(record, Audio) or not record.fresh(self._first):
                return
            self._connection = record.connection
        match record:
            case Open():
                self._connection = record.connection
                self._expected = max(self._expected, record.at)
            case _ if record.connection != self._connection:
                return
            case Audio():
                self._put(record.fresh(self._expected))
            case Gap() if record.at <= self._expected:
                self._expected = max(self._expected, record.to)
            case Gap() | Close():
                return

    def _put(self, pcm: bytes) -> None:
        at = (self._expected - self._first) * BYTES_PER_SAMPLE
        self._pcm[at : at + len(pcm)] = pcm[: max(len(self._pcm) - at, 0)]
        self._expected += len(pcm) // BYTES_PER_SAMPLE


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
