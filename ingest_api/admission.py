"""Whether a new session may begin, from what the transcribers report of themselves: a pure decision, bounded.

Sessions that have begun go on whatever happens. New ones are refused while what waits would take the transcribers
longer than ``refuse_above_s``, until it takes less than ``admit_below_s``. Since a session weighs nothing before
somebody speaks in it, the latest ones count as full until they can be measured or have ended: no more may begin at a
time than there is room for. One always may while nothing waits: a slow machine that keeps up refuses nobody.

``refuse_above_s`` 0 refuses nobody.

Without a report no transcriber is alive, and the log keeps what comes for the next one: sessions begin until so much
audio waits there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

PROVEN_AFTER_S = 20.0
# Finals wait for one another long before the decoders are busy all the time.
FULL_AT = 0.85
# What a conversation takes of the decoders, against one in which somebody speaks all the time.
SPOKEN_SHARE = 1.4
# Before anything was decoded: a small model on one core.
FIRST_SPEED = 10.0
# Less than this is the wait of a final for its turn.
NOTHING_WAITS_S = 1.0
RETRY_AT_LEAST_S = 2.0
RETRY_AT_MOST_S = 60.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """All transcribers that are alive, together: seconds of audio that wait, seconds heard in a second at full load,
    and the share of their time that is needed, 0 to 1."""

    backlog_s: float
    speed: float
    load: float

    @property
    def wait_s(self) -> float:
        """How long what waits takes them."""
        return self.backlog_s / self.speed


@dataclass(frozen=True, slots=True)
class Rules:
    """When new sessions are refused, see the module; all in seconds, ``unheard_at_most_s`` of audio."""

    refuse_above_s: float
    admit_below_s: float
    unheard_at_most_s: float


@dataclass(frozen=True, slots=True)
class RecentSession:
    """A session that this process admitted, and when."""

    session_id: str
    began_s: float


@dataclass(frozen=True, slots=True)
class Admission:
    """What one ingest process remembers: whether it is refusing, and its latest sessions, oldest first."""

    is_refusing: bool = False
    recent: tuple[RecentSession, ...] = ()

    def without_ended(self, is_done: Callable[[str], bool]) -> "Admission":
        """The same without the sessions that have ended: they need none of the transcribers' time any more."""
        return replace(self, recent=tuple(each for each in self.recent if not is_done(each.session_id)))


def look(admission: Admission, fleet: Fleet | None, unheard_s: float, now_s: float, rules: Rules) -> Admission:
    """What is remembered at ``now_s``; ``unheard_s`` is audio in the log that nobody has heard."""
    recent = tuple(each for each in admission.recent if now_s - each.began_s < PROVEN_AFTER_S)
    if rules.refuse_above_s == 0:
        is_refusing = False
    elif fleet is None:
        is_refusing = unheard_s > rules.unheard_at_most_s
    else:
        bound_s = rules.admit_below_s if admission.is_refusing else rules.refuse_above_s
        is_refusing = _with(fleet, unheard_s).wait_s > bound_s
    return Admission(is_refusing, recent)


def admit(
    admission: Admission, session_id: str, fleet: Fleet | None, unheard_s: float, now_s: float, rules: Rules
) -> tuple[Admission, float | None]:
    """What is remembered after a request for this new session, and None if it may begin, else when to ask again."""
    if rules.refuse_above_s == 0:
        return admission, None
    seen = look(admission, fleet, unheard_s, now_s, rules)
    if seen.is_refusing:
        return seen, retry_after_s(fleet, unheard_s, rules)
    if fleet is not None and len(seen.recent) >= room(_with(fleet, unheard_s)):
        oldest_s = min((each.began_s for each in seen.recent), default=now_s)
        return seen, _bounded(oldest_s + PROVEN_AFTER_S - now_s)
    if fleet is None:
        return seen, None
    return replace(seen, recent=(*seen.recent, RecentSession(session_id, now_s))), None


def room(fleet: Fleet) -> int:
    """How many sessions may begin at a time."""
    free = max(0.0, FULL_AT - fleet.load)
    return max(int(fleet.wait_s < NOTHING_WAITS_S), int(free * fleet.speed / SPOKEN_SHARE))


def retry_after_s(fleet: Fleet | None, unheard_s: float, rules: Rules) -> float:
    """When to ask again: as long as the transcribers need for what is too much, twice, since more comes meanwhile."""
    if fleet is None:
        return RETRY_AT_MOST_S
    return _bounded(2 * (_with(fleet, unheard_s).wait_s - rules.admit_below_s))


def _with(fleet: Fleet, unheard_s: float) -> Fleet:
    # Both count what waits: the reports what transcribers have fetched, the log what came in by this process.
    return replace(fleet, backlog_s=max(fleet.backlog_s, unheard_s))


def _bounded(seconds: float) -> float:
    return min(RETRY_AT_MOST_S, max(RETRY_AT_LEAST_S, seconds))
