"""Server-sent events: snapshot first, then live; cut anywhere, resumed with no gap and no repeat."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncEngine
from sse_starlette import EventSourceResponse

from dashboards.follower import Follower
from dashboards.forms import deleted_session, unknown_session, viewer_form
from dashboards.hub import Hub
from dashboards.positions import Position, read_position
from dashboards.responses import Blocks, ViewerResponse, event, heartbeat, place_only, reset
from dashboards.snapshots import Snapshot, ringed_snapshot, stored_snapshot
from dashboards.viewers import Viewer
from undertone.errors import Refusal, TransientError
from undertone.events import Event, Session, Utterance, Window
from undertone.freshness import STALE_AFTER_S
from undertone.settings import Settings

log = logging.getLogger(__name__)

VIEWERS = Gauge("undertone_viewers", "Viewers that follow the server-sent events now.")
LOST_VIEWERS = Counter("undertone_viewers_behind", "Viewers closed because they fell too far behind.")
CHUNK_BYTES = 65_536


Check: TypeAlias = Callable[[], None]


@dataclass(frozen=True)
class Pace:
    """The times of a stream, in seconds. ``jitter`` gives a number in [0, 1)."""

    heartbeat_s: float = 15.0
    rotate_s: float = 300.0
    rotate_jitter_s: float = 60.0
    send_timeout_s: float = 30.0
    fill_wait_s: float = 5.0
    stale_after_s: float = STALE_AFTER_S
    catch_up_s: float = 2.0
    check_s: float = 5.0
    max_viewers: int = 1000
    jitter: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic


class Streams:
    """Opens streams on the hub that ``follower`` fills."""

    def __init__(self, settings: Settings, engine: AsyncEngine, follower: Follower, pace: Pace) -> None:
        self._settings = settings
        self._engine = engine
        self._follower = follower
        self._pace = pace
        self._bridges = asyncio.Semaphore(2)
        self._blocks = Blocks()
        self._snapshots: dict[str | None, asyncio.Task[Snapshot]] = {}

    async def open(
        self, session_id: str | None, cursor: str | None, *, is_proven: bool, check: Check
    ) -> EventSourceResponse:
        """The stream of one session, or of all; ``cursor`` is the last id that this viewer got.

        ``is_proven`` says that the session exists though nothing may be stored of it yet. ``check`` raises ``Refusal``
        once the viewer's credential is no longer good, which ends the stream. Raises ``Refusal`` for an
        unknown session, and while the hub is not filled or has too many viewers.
        """
        hub = await self._open_hub()
        if session_id is not None and hub.is_deleted(session_id):
            raise deleted_session(session_id)
        snapshot = None
        if cursor is None:
            snapshot = await self._snapshot(hub, session_id)
            if session_id is not None and not is_proven:
                _check_known(hub, snapshot, session_id)
        events = self._events(hub, session_id, cursor, snapshot, check)
        return ViewerResponse(events, ping=0, send_timeout=self._pace.send_timeout_s)

    async def _open_hub(self) -> Hub:
        hub = await self._follower.filled_hub(self._pace.fill_wait_s)
        if len(hub.viewers) >= self._pace.max_viewers:
            raise Refusal(
                "too_many_viewers",
                f"{len(hub.viewers)} viewers follow already: try again later, or add a replica of dashboards",
                status=503,
                retryable=True,
                retry_after_ms=10_000,
            )
        return hub

    async def _snapshot(self, hub: Hub, session_id: str | None) -> Snapshot:
        """One for all who come while it is being made: an older one only has more of the stream behind it."""
        making = self._snapshots.get(session_id)
        if making is None:
            making = self._snapshots[session_id] = asyncio.create_task(self._make_snapshot(hub, session_id))
            making.add_done_callback(lambda _: self._snapshots.pop(session_id))
        return await asyncio.shield(making)

    async def _make_snapshot(self, hub: Hub, session_id: str | None) -> Snapshot:
        try:
            return await stored_snapshot(self._engine, self._settings, hub, session_id)
        except TransientError as error:
            log.warning("a viewer begins without the history: %s", error)
            return ringed_snapshot(hub, session_id)

    async def _events(
        self, hub: Hub, session_id: str | None, cursor: str | None, snapshot: Snapshot | None, check: Check
    ) -> AsyncIterator[bytes]:
        """Everything that is sent: the beginning, then what the hub hands over until the connection is to rotate."""
        viewer = await self._resume(hub, session_id, cursor)
        begun: list[bytes] = []
        if viewer is None:
            if cursor is not None:
                yield reset()
            snapshot = snapshot or await self._snapshot(hub, session_id)
            viewer, begun = await self._begin(hub, session_id, snapshot)
        VIEWERS.inc()
        try:
            for event in begun:
                yield event
            async for chunk in live_events(hub, viewer, self._blocks, self._pace, check):
                if self._follower.why_not_ready() is not None:
                    return  # coming back, the viewer is told why and when to try again
                yield chunk
        finally:
            VIEWERS.dec()
            hub.detach(viewer)

    async def _resume(self, hub: Hub, session_id: str | None, cursor: str | None) -> Viewer | None:
        """A viewer who goes on behind ``cursor``; None where that is older than the ring, or of another log."""
        slots = hub.slots(session_id)
        position = read_position(cursor, len(slots)) if cursor else None
        if position is None or not await self._has_reached(hub, slots, position):
            return None
        start = dict(zip(slots, position, strict=True))
        return None if hub.missing(start) else hub.attach(session_id, start)

    async def _has_reached(self, hub: Hub, slots: tuple[int, ...], position: Position) -> bool:
        """Whether the hub comes as far as another replica was when it gave out this position."""
        deadline = self._pace.clock() + self._pace.catch_up_s
        while any(hub.head[slot] < at for slot, at in zip(slots, position, strict=True)):
            if self._pace.clock() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def _begin(self, hub: Hub, session_id: str | None, snapshot: Snapshot) -> tuple[Viewer, list[bytes]]:
        """A viewer who goes on behind the snapshot, and the events up to where the ring begins."""
        partials = list(hub.partials(session_id))
        viewer = hub.attach(session_id, snapshot.start)
        try:
            missing = hub.missing(snapshot.start)
            bridge = await self._bridge(missing) if missing else []
        except BaseException:
            hub.detach(viewer)
            raise
        at = dict(snapshot.start)
        if bridge is None:
            at |= {slot: end for slot, (_, end) in missing.items()}
        changing = [partial for partial in partials if not hub.is_deleted(partial.session_id)]
        form = snapshot.without(hub.is_deleted).form(changing, complete=snapshot.complete and bridge is not None)
        events = [event("snapshot", form, at.values())]
        for slot, offset, found in bridge or ():
            at[slot] = offset + 1
            if not isinstance(found, Session | Utterance | Window) or hub.is_deleted(found.session_id):
                continue
            if session_id in {None, found.session_id}:
                events.append(event(found.type, viewer_form(found), at.values()))
        return viewer, events

    async def _bridge(self, missing: Mapping[int, tuple[int, int]]) -> list[tuple[int, int, Event]] | None:
        async with self._bridges:
            return await self._follower.bridge(missing)


async def live_events(hub: Hub, viewer: Viewer, blocks: Blocks, pace: Pace, check: Check) -> AsyncIterator[bytes]:
    """Entries as they come, heartbeats where there are none.

    Ends when it is time, when the viewer is behind, when ``check`` refuses, or when all is said of a session that is
    deleted. Coming back, a viewer who was refused is told why. What waits goes
    in one piece: the more there are to serve, the more comes together, and the less each costs.
    """
    rotate_at = pace.clock() + pace.rotate_s + pace.jitter() * pace.rotate_jitter_s
    beat_at = pace.clock() + pace.heartbeat_s
    check_at = pace.clock() + pace.check_s
    while not viewer.is_behind:
        if pace.clock() >= check_at:  # whether or not something waits to be sent
            try:
                check()
            except Refusal:
                return
            check_at = pace.clock() + pace.check_s
        if chunk := _take(viewer, blocks):
            yield chunk
            continue
        if viewer.session_id is not None and hub.is_deleted(viewer.session_id):
            return
        now = pace.clock()
        if now >= min(beat_at, rotate_at):
            # Taken before anything is sent: what the hub adds meanwhile is still to come, here or after a resume.
            reached = viewer.position(hub.head)
            yield heartbeat()
            yield place_only(reached)
            beat_at = now + pace.heartbeat_s
        if now >= rotate_at:
            return
        await _wait(viewer.woken, min(beat_at, rotate_at, check_at) - now)
    LOST_VIEWERS.inc()
    log.warning("a viewer fell too far behind and was closed")


def _take(viewer: Viewer, blocks: Blocks) -> bytes:
    """What waits for the viewer, or a good piece of it; empty where nothing does."""
    taken: list[bytes] = []
    size = 0
    while size < CHUNK_BYTES and (entry := viewer.pop()) is not None:
        block = blocks.of(entry, viewer.position(entry.head))
        taken.append(block)
        size += len(block)
    return b"".join(taken)


async def _wait(woken: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await woken.wait()


def _check_known(hub: Hub, snapshot: Snapshot, session_id: str) -> None:
    """Raise ``Refusal`` if neither the history nor the log knows the session, and the history could be asked."""
    found = snapshot.sessions or snapshot.utterances or hub.knows(session_id)
    if snapshot.complete and not found:
        raise unknown_session(session_id)
