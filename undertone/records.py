"""What the ``audio`` topic holds: the log of a session as its recorders made it.

Every record names its ``connection``. Which records count is decided by ``undertone.session_log``. ``at`` is always a
sample position. The codec checks the bounds that the kinds of ``quantities`` have.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from undertone.audio import BYTES_PER_SAMPLE
from undertone.quantities import Count, Line, Lines, Name, Sample, SessionId


@dataclass(frozen=True, slots=True)
class Open:
    """A recorder (or the creation of the session) speaks up; samples from ``at`` on will follow.

    ``connection`` is empty for the record that creates the session. ``language`` is ISO 639-1 or None for
    detection. ``started_at_ms`` is wall time of sample 0, Unix milliseconds. ``seen`` is the offset in the session's
    partition up to which ingest had read when the recorder's handshake arrived; None from versions that did not say.
    """

    session_id: SessionId
    connection: Name
    at: Sample
    language: Name | None = None
    started_at_ms: int | None = None
    title: Line | None = None
    tags: Lines = ()
    seen: Count | None = None

    @property
    def end(self) -> int:
        """The sample at which it speaks."""
        return self.at


@dataclass(frozen=True, slots=True)
class Audio:
    """Samples from ``at`` on; ``pcm`` is s16le mono 16 kHz, never empty."""

    session_id: SessionId
    connection: Name
    at: Sample
    pcm: Annotated[bytes, Field(min_length=BYTES_PER_SAMPLE)]

    @property
    def end(self) -> int:
        """The sample after the last one."""
        return self.at + len(self.pcm) // BYTES_PER_SAMPLE

    def fresh(self, expected: int) -> bytes:
        """The PCM of what counts for whoever has heard all before ``expected``: the samples from there on.

        Empty for a repeat, and for what begins later: what lies between was never written, and comes again.
        """
        return self.pcm[(expected - self.at) * BYTES_PER_SAMPLE :] if self.at <= expected else b""


@dataclass(frozen=True, slots=True)
class Gap:
    """There is no audio from ``at`` to ``to``: a pause, a sleep, or audio that was lost."""

    session_id: SessionId
    connection: Name
    at: Sample
    to: Sample

    @property
    def end(self) -> int:
        """The sample after the gap."""
        return self.to


@dataclass(frozen=True, slots=True)
class Close:
    """The session ends at ``at``: ``stop`` is final, ``idle`` may be reopened by an Open."""

    session_id: SessionId
    connection: Name
    at: Sample
    reason: Literal["stop", "idle"]

    @property
    def end(self) -> int:
        """The sample at which it speaks."""
        return self.at


AudioRecord: TypeAlias = Open | Audio | Gap | Close
