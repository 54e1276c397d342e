"""What a viewer gets first: the state of one session or of all, and the offsets from which the stream goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dashboards.hub import TOPICS, Hub
from storage import queries
from storage.engine import reading
from storage.listing import Filters, session_page
from undertone.events import Session, Utterance, Window
from undertone.kafka import topic_name
from undertone.settings import Settings
from undertone.topics import DELETIONS, PARTIALS
from undertone.windows import WHOLE, fill_in_parts, length_ms, places_back

MAX_UTTERANCES = 500
MAX_WINDOWS = 5000
MAX_LIVE = 500
MAX_OTHERS = 50
RECENT_SIZE_MS = 10_000
RECENT_MS = 300_000


@dataclass(frozen=True)
class Snapshot:
    """Stored events and the next offsets (by slot) behind them; ``through`` is how far each session is settled.

    ``complete`` is false where the history is out of reach, ``more`` true where a long one is cut at its front.
    """

    complete: bool
    start: Mapping[int, int]
    sessions: list[Session] = field(default_factory=list)
    utterances: list[Utterance] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    through: Mapping[str, int] = field(default_factory=dict)
    more: bool = False


async def stored_snapshot(engine: AsyncEngine, settings: Settings, hub: Hub, session_id: str | None) -> Snapshot:
    """Rows and source offsets of one moment. Raises ``TransientError`` while PostgreSQL is away."""
    async with reading(engine, isolation_level="REPEATABLE READ") as connection:
        start = await _start(connection, settings, hub, session_id)
        if session_id is None:
            return await _of_all(connection, start)
        return await _of_one(connection, start, session_id)


async def ringed_snapshot(hub: Hub, session_id: str | None) -> Snapshot:
    """What the hub's ring still knows, for when PostgreSQL is away."""
    sessions: dict[str, Session] = {}
    utterances: dict[str, Utterance] = {}
    windows: dict[tuple[str, int, int], Window] = {}  # of all sessions, those that a glance shows
    for event in hub.recent(session_id):
        if isinstance(event, Session):
            sessions[event.session_id] = event
        elif isinstance(event, Utterance):
            utterances[event.session_id if session_id is None else event.utterance_id] = event
        elif session_id is None and _is_at_a_glance(event):
            windows[event.session_id, event.size_ms, event.start_ms] = event
    return Snapshot(
        complete=False,
        start={slot: hub.head[slot] for slot in hub.slots(session_id)},
        sessions=list(sessions.values()),
        utterances=list(utterances.values()),
        windows=list(windows.values()) if session_id is None else await _filled(hub, session_id),
    )


async def _filled(hub: Hub, session_id: str) -> list[Window]:
    """One session's windows in the ring, and the empty ones of the time since the ring's first whole-session window."""
    found = [event for event in hub.recent(session_id) if isinstance(event, Window)]
    wholes = [window for window in found if window.size_ms == WHOLE]
    if not wholes:
        return list((await fill_in_parts(found, (), None)).values())
    empty = places_back(length_ms(wholes[-1]), from_ms=length_ms(wholes[0]))
    return list((await fill_in_parts(found, islice(empty, MAX_WINDOWS), wholes[-1])).values())


def _is_at_a_glance(window: Window) -> bool:
    return window.size_ms == WHOLE or (window.size_ms == RECENT_SIZE_MS and window.score is not None)


async def _start(connection: AsyncConnection, settings: Settings, hub: Hub, session_id: str | None) -> dict[int, int]:
    """The next offsets behind the stored rows.

    Partials are not stored, and what is deleted is left out: there it is where the hub stands.
    """
    stored = await queries.stored_offsets(connection)
    start = {}
    for slot in hub.slots(session_id):
        number, partition = divmod(slot, hub.partitions)
        topic = TOPICS[number]
        is_stored = topic not in (PARTIALS, DELETIONS)
        start[slot] = stored.get((topic_name(settings, topic), partition), 0) if is_stored else hub.head[slot]
    return start


async def _of_one(connection: AsyncConnection, start: Mapping[int, int], session_id: str) -> Snapshot:
    session = await queries.one_session(connection, session_id)
    utterances, more = await queries.last_utterances(connection, session_id, MAX_UTTERANCES)
    windows = await queries.last_windows(connection, session_id, MAX_WINDOWS)
    return Snapshot(
        complete=True,
        start=start,
        sessions=[session] if session else [],
        utterances=utterances,
        windows=windows,
        through=await queries.through_of(connection, [session_id]),
        more=more,
    )


async def _of_all(connection: AsyncConnection, start: Mapping[int, int]) -> Snapshot:
    sessions = []
    for state, limit in (("live", MAX_LIVE), ("open", MAX_OTHERS), ("ended", MAX_OTHERS)):
        sessions += (await session_page(connection, Filters(state=state), limit=limit)).items
    names = [session.session_id for session in sessions]
    live = [session.session_id for session in sessions if session.state == "live"]
    recent = await queries.scored_windows(connection, live, RECENT_SIZE_MS, RECENT_MS)
    return Snapshot(
        complete=True,
        start=start,
        sessions=sorted(sessions, key=lambda session: session.session_id, reverse=True),
        utterances=await queries.last_of_each(connection, names),
        windows=await queries.whole_windows(connection, names) + recent,
        through=await queries.through_of(connection, names),
    )
