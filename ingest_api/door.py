"""The door for new sessions: asks ``admission`` with what is known now, and counts."""

import time
from datetime import UTC, datetime

from ingest_api.admission import Admission, Fleet, Rules, admit, look, retry_after_s
from ingest_api.follower import Follower
from ingest_api.metrics import BACKLOG, REFUSED
from ingest_api.pace import Paces
from undertone.errors import Refusal
from undertone.settings import Settings


class Door:
    """One per process: several ingest processes see the same transcribers, each its own latest sessions."""

    def __init__(self, rules: Rules, follower: Follower, paces: Paces) -> None:
        self._rules = rules
        self._follower = follower
        self._paces = paces
        self._admission = Admission()
        BACKLOG.set_function(self.backlog_s)

    def enter(self, session_id: str) -> None:
        """Return if this new session may begin now, and count it. Raises ``Refusal`` ``too_busy``."""
        fleet, unheard_s = self._see()
        now, knowledge = datetime.now(UTC), self._follower.knowledge
        before = self._admission.without_ended(lambda recent: knowledge.is_done(recent, now))
        self._admission, wait_s = admit(before, session_id, fleet, unheard_s, time.monotonic(), self._rules)
        if wait_s is not None:
            raise _too_busy(wait_s)

    def check(self) -> None:
        """Return if there is time for a whole file now, which waits for those who are speaking; else as ``enter``."""
        fleet, unheard_s = self._see()
        self._admission = look(self._admission, fleet, unheard_s, time.monotonic(), self._rules)
        if self._admission.is_refusing:
            raise _too_busy(retry_after_s(fleet, unheard_s, self._rules))

    def backlog_s(self) -> float:
        """Seconds of audio that wait, as far as is known here."""
        fleet, unheard_s = self._see()
        return unheard_s if fleet is None else max(unheard_s, fleet.backlog_s)

    def _see(self) -> tuple[Fleet | None, float]:
        now, knowledge = datetime.now(UTC), self._follower.knowledge
        unheard_s = self._paces.unheard_s(lambda session: knowledge.heard(session, now), time.monotonic() * 1000)
        return knowledge.fleet(now), unheard_s


def rules_of(settings: Settings) -> Rules:
    """The rules under these settings."""
    return Rules(
        refuse_above_s=settings.refuse_above_s,
        admit_below_s=min(settings.admit_below_s, settings.refuse_above_s),
        unheard_at_most_s=60 * settings.unheard_minutes,
    )


def _too_busy(wait_s: float) -> Refusal:
    REFUSED.inc()
    return Refusal(
        "too_busy",
        f"more is being said than can be heard in time: try again in {wait_s:.0f} s",
        status=503,
        retryable=True,
        retry_after_ms=round(1000 * wait_s),
    )
