"""Deadlines of what one HTTP/1.1 connection has to receive. Pure: time and progress are passed in.

Time counts only while the server reads from the connection (``wires.TimedFlow``): a client is never late because the
server has paused it.
"""

from enum import Enum, auto

HEAD_WITHIN_S = 15.0
IDLE_WITHIN_S = 5.0
LEFTOVER_WITHIN_S = 5.0
"""How long the rest of a body may take after its request was answered without it."""
SLOWEST_BYTES_PER_S = 4_000
"""Slower than any voice: a body that comes byte by byte would hold its connection for days."""
BODY_SILENT_S = 35.0
"""A little more than a route that reads the body waits (``ingest_api.bodies``), so that its answer comes first."""
BODY_WITHIN_S = 960.0
"""A little more than the longest upload (``ingest_api.uploads``)."""


class _Phase(Enum):
    NOTHING = auto()
    HEAD = auto()
    BODY = auto()


class RequestClock:
    """Tracks one connection's requests, and returns when the connection has to be closed."""

    def __init__(self, now_s: float) -> None:
        """A connection is made: the first head is due."""
        self._phase = _Phase.HEAD
        self._since_s = now_s
        self._last_s = now_s
        self._taken_bytes = 0
        self._unanswered = 0
        self._answered_s = now_s

    @property
    def is_in_head(self) -> bool:
        """Whether the head of a request is not complete."""
        return self._phase is _Phase.HEAD

    def begin_head(self, now_s: float) -> None:
        """A request begins. The first one has been waited for since the connection was made."""
        if self._phase is not _Phase.HEAD:
            self._phase, self._since_s = _Phase.HEAD, now_s

    def begin_body(self, now_s: float) -> None:
        """The head is complete; the request is to be answered."""
        self._phase, self._since_s, self._last_s, self._taken_bytes = _Phase.BODY, now_s, now_s, 0
        self._unanswered += 1

    def take_body(self, size_bytes: int, now_s: float) -> None:
        """A piece of the body came."""
        self._last_s = now_s
        self._taken_bytes += size_bytes

    def end_request(self, now_s: float) -> None:
        """The request is complete."""
        self._phase, self._since_s = _Phase.NOTHING, now_s

    def end_answer(self, now_s: float) -> None:
        """The oldest unanswered request is answered."""
        self._unanswered -= 1
        self._answered_s = now_s
        if self._phase is _Phase.NOTHING:
            self._since_s = now_s

    def due_s(self) -> float | None:
        """When the connection has to be closed unless something happens before; None while the server is to answer."""
        if self._phase is _Phase.HEAD:
            return self._since_s + HEAD_WITHIN_S
        if self._phase is _Phase.NOTHING:
            return None if self._unanswered else self._since_s + IDLE_WITHIN_S
        if not self._unanswered:
            return self._answered_s + LEFTOVER_WITHIN_S
        slowest_s = BODY_SILENT_S + self._taken_bytes / SLOWEST_BYTES_PER_S
        return min(self._last_s + BODY_SILENT_S, self._since_s + min(slowest_s, BODY_WITHIN_S))
