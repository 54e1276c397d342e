"""How fast audio is taken: real-time audio always, faster audio only while it is not far ahead of the transcriber.

Kafka is the buffer, but a file read at full speed would fill it with hours that nobody has heard, and push the people
who are talking now to the back. So would a recorder that says nothing for an hour and then sends an hour at once: what
counts is how fast the audio comes, not how old its session is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from undertone.audio import to_ms

SLACK_MS = 5_000.0
# What may come at once after a silence: less than the transcriber keeps of a session before it stops to read.
BURST_MS = 60_000.0
FORGET_EVERY_MS = 60_000.0
# Between two reports of a transcriber, and a little more.
HEARD_LATE_MS = 3_000


@dataclass(slots=True)
class _Pace:
    credit_ms: float
    at_ms: float
    end: int
    skipped: int = 0
    skipped_to: int = 0


class Paces:
    """The pace of each session, as this process sees it.

    ``through`` says up to which sample a session is settled, ``is_done`` that nobody will hear more of it.

    A session has credit for so much audio: it grows with time, up to ``BURST_MS``, and audio spends it. Audio that is
    under ``max_ahead_ms`` ahead of what is settled is taken on a debt: without bound what is new, no more than
    ``max_ahead_ms`` what comes again. What is settled already costs nothing, since it goes no further. And beyond the
    time that has passed since the session began there is nothing to be sent yet.
    """

    def __init__(self, through: Callable[[str], int], is_done: Callable[[str], bool], max_ahead_ms: int) -> None:
        self._through = through
        self._is_done = is_done
        self._max_ahead_ms = max_ahead_ms
        self._paces: dict[str, _Pace] = {}
        self._forgot_at_ms = 0.0

    def take(self, session_id: str, at: int, end: int, passed_ms: float, now_ms: float) -> bool:
        """Whether the samples from ``at`` to ``end`` are taken now, and then counted.

        ``passed_ms`` is the wall time since the session was made, ``now_ms`` is monotonic.
        """
        through = self._through(session_id)
        if end <= through:
            return True
        pace = self._paces.get(session_id)
        if pace is None:
            self._forget(now_ms)
            pace = self._paces[session_id] = _Pace(SLACK_MS, now_ms, 0)
        credit_ms = min(BURST_MS, pace.credit_ms + max(0.0, now_ms - pace.at_ms))
        left_ms = credit_ms - to_ms(max(0, end - at))
        is_near = to_ms(end - through) < self._max_ahead_ms
        if not is_near and to_ms(end) > passed_ms + SLACK_MS:
            return False
        if left_ms < (-math.inf if is_near and end > pace.end else -self._max_ahead_ms if is_near else 0):
            return False
        pace.credit_ms = max(-self._max_ahead_ms, left_ms)
        pace.at_ms = now_ms
        pace.end = max(pace.end, end)
        return True

    def skip(self, session_id: str, at: int, to: int) -> None:
        """Count that there is no audio between these samples: nobody has to hear it."""
        pace = self._paces.get(session_id)
        if pace is not None and to > at:
            is_heard = pace.skipped_to <= self._through(session_id)
            pace.skipped = to - at + (0 if is_heard else pace.skipped)
            pace.skipped_to = to

    def unheard_s(self, heard: Callable[[str], int], now_ms: float) -> float:
        """Seconds of audio that was taken here and that nobody has heard, but for what came faster than speech."""
        return sum(self._late_ms(session_id, pace, heard, now_ms) for session_id, pace in self._paces.items()) / 1000

    def __len__(self) -> int:
        """How many sessions are kept in mind."""
        return len(self._paces)

    def _late_ms(self, session_id: str, pace: _Pace, heard: Callable[[str], int], now_ms: float) -> float:
        if self._is_done(session_id):
            return 0.0
        reached = max(heard(session_id), self._through(session_id))
        skipped = pace.skipped if pace.skipped_to > reached else 0
        unheard_ms = to_ms(max(0, pace.end - reached - skipped))
        too_fast_ms = max(0.0, SLACK_MS - pace.credit_ms - max(0.0, now_ms - pace.at_ms))
        return max(0.0, unheard_ms - too_fast_ms - HEARD_LATE_MS)

    def _forget(self, now_ms: float) -> None:
        """Drop the sessions whose credit is full and of which nothing is unsettled: they are as good as new."""
        if now_ms - self._forgot_at_ms < FORGET_EVERY_MS:
            return
        self._forgot_at_ms = now_ms
        self._paces = {
            session_id: pace
            for session_id, pace in self._paces.items()
            if pace.credit_ms + now_ms - pace.at_ms < BURST_MS
            or (pace.end > self._through(session_id) and not self._is_done(session_id))
        }
