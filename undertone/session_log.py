"""Which records of a session's log count: the one rule that ingest, transcriber and audio reader share. Pure.

A session's log is written by whichever ingest process its recorders reach, so two connections may write at once. The
log's order alone decides between them: an ``Open`` makes its connection the current one, and records of any other
connection do not count.

An ``Open`` may be late: its process was frozen, or Kafka was away, while the recorder went on over another connection.
So it carries ``seen``, the offset behind the last record that its ingest process had read when the handshake arrived.
Another connection that became current at or behind ``seen`` is newer than that handshake: the late ``Open`` is void.
"""

from dataclasses import dataclass, replace

from undertone.events import Session
from undertone.records import Audio, AudioRecord, Close, Gap, Open


@dataclass(frozen=True, slots=True)
class LogState:
    """What counts at one place in a session's log.

    ``opened_offset`` is the offset of the ``Open`` of the current connection; None where it is unknown, in which case
    no later ``Open`` is void. ``expected`` is the next sample that counts. A stopped session takes nothing more.
    """

    connection: str = ""
    opened_offset: int | None = None
    expected: int = 0
    is_stopped: bool = False

    def counts(self, record: AudioRecord) -> bool:
        """Whether the record changes what is transcribed: it is current, contiguous and no repeat."""
        if self.is_stopped:
            return False
        match record:
            case Open(seen=seen):
                return seen is None or self.opened_offset is None or self.opened_offset < seen
            case _ if record.connection != self.connection:
                return False
            case Audio():
                return record.at <= self.expected < record.end
            case Gap():
                return record.at <= self.expected < record.to
            case Close():
                return record.reason == "stop" or record.at == self.expected

    def after(self, offset: int, record: AudioRecord) -> "LogState":
        """The state behind the record, which has this offset in its partition."""
        if not self.counts(record):
            return self
        match record:
            case Open():
                return LogState(record.connection, offset, max(self.expected, record.at))
            case Audio():
                return replace(self, expected=record.end)
            case Gap():
                return replace(self, expected=record.to)
            case Close():
                return replace(self, is_stopped=record.reason == "stop")


def state_at_resume(session: Session) -> LogState:
    """What counts of the session's log at its ``resume.offset``."""
    resume = session.resume
    return LogState(resume.connection, resume.opened_offset, session.through, is_stopped=session.is_over)
