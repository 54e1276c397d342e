"""When a session's finals are due: what orders decodes across sessions under load. Pure.

A final is due when its audio came, so that the oldest goes first. But a session gets no more of the decoders than a
person who speaks without a pause: audio that came faster than that (a file, what a recorder kept while it was offline)
is due as if it had been spoken just now, one utterance behind the other. With room it is heard at once all the same.
What a final says does not depend on any of it.
"""

import math

from models.speech.scheduler import DUE_WITHIN_S

# A recorder that is back from offline is soon one like any other.
AHEAD_AT_MOST_S = 10.0


class Turns:
    """The turns of one session. All times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._due_s = -math.inf

    def take(self, now_s: float, received_s: float, seconds: float) -> float:
        """When the next utterance is due: its audio, so many ``seconds`` of speech, was complete at ``received_s``."""
        self._due_s = max(received_s, min(self._due_s + seconds, now_s + AHEAD_AT_MOST_S))
        return self._due_s

    def is_ahead(self, now_s: float) -> bool:
        """Whether the session had more than its turn: nobody speaks so fast, and nobody watches for what it says."""
        return self._due_s > now_s + DUE_WITHIN_S


def received_at(now_s: float, now_ms: float, received_at_ms: float) -> float:
    """When a record came, on the monotonic clock that says ``now_s`` while it is ``now_ms``, Unix milliseconds.

    Never later than now, whatever the clock of the machine says that received it.
    """
    return now_s - max(0.0, now_ms - received_at_ms) / 1000
