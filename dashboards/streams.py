"""Server-sent events: snapshot first, then live; cut anywhere, resumed with no gap and no repeat."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncEngine
from sse_starlette import EventSourceResponse

from dashboards.encoded import EncodedSnapshot
from dashboards.follower import Follower
from dashboards.forms import deleted_session, unknown_session, viewer_json
from dashboards.hub import Hub
from dashboards.positions import Position, read_position
from dashboards.responses import (
    EVENT_END,
    Blocks,
    ViewerResponse,
    event,
    event_begin,
    heartbeat,
    place_only,
    reset,
)
from dashboards.shared_snapshots import SharedSnapshots
from dashboards.viewers import Viewer
from undertone.errors import Refusal
from undertone.events import Event, Partial, Session, Utterance, Window
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
        self._follower = follower
        self._pace = pace
        self._bridges = asyncio.Semaphore(2)
        self._blocks = Blocks()
        self._snapshots = SharedSnapshots(settings, engine)

    async def close(self) -> None:
        """End what is done for viewers who are coming."""
        await self._snapshots.close()

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
            snapshot = await self._snapshots.get(hub, session_id)
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

    async def _events(
        self, hub: Hub, session_id: str | None, cursor: str | None, snapshot: EncodedSnapshot | None, check: Check
    ) -> AsyncIterator[bytes]:
        """Everything that is sent: the beginning, then what the hub hands over until the connection is to rotate."""
        viewer = await self._resume(hub, session_id, cursor)
        if viewer is None and cursor is not None:
            yield reset()
        if viewer is None and snapshot is None:
            snapshot = await self._snapshots.get(hub, session_id)
        VIEWERS.inc()
        try:
            if viewer is None:
                assert snapshot is not None
                partials = list(hub.partials(session_id))
                missing = hub.missing(snapshot.start)
                viewer = await hub.attach(session_id, snapshot.start)
                beginning = self._beginning(hub, session_id, snapshot, partials, missing)
                snapshot = None  # this frame lives as long as the viewer watches
                async for chunk in beginning:
                    yield chunk
            async for chunk in live_events(hub, viewer, self._blocks, self._pace, check):
                if self._follower.why_not_ready() is not None:
                    return  # coming back, the viewer is told why and when to try again
                yield chunk
        finally:
            VIEWERS.dec()
            if viewer is not None:
                hub.detach(viewer)

    async def _resume(self, hub: Hub, session_id: str | None, cursor: str | None) -> Viewer | None:
        """A viewer who goes on behind ``cursor``; None where that is older than the ring, or of another log."""
        slots = hub.slots(session_id)
        position = read_position(cursor, len(slots)) if cursor else None
        if position is None or not await self._has_reached(hub, slots, position):
            return None
        start = dict(zip(slots, position, strict=True))
        return None if hub.missing(start) else await hub.attach(session_id, start)

    async def _has_reached(self, hub: Hub, slots: tuple[int, ...], position: Position) -> bool:
        """Whether the hub comes as far as another replica was when it gave out this position."""
        deadline = self._pace.clock() + self._pace.catch_up_s
        while any(hub.head[slot] < at for slot, at in zip(slots, position, strict=True)):
            if self._pace.clock() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def _beginning(
        self,
        hub: Hub,
        session_id: str | None,
        snapshot: EncodedSnapshot,
        partials: list[Partial],
        missing: Mapping[int, tuple[int, int]],
    ) -> AsyncIterator[bytes]:
        """The snapshot, and the events ``missing`` between it and the ring, for a viewer who is attached behind it."""
        bridge = await self._bridge(missing) if missing else []
        at = dict(snapshot.start)
        if bridge is None:
            at |= {slot: end for slot, (_, end) in missing.items()}
        pieces = snapshot.pieces(partials, hub.is_hidden, complete=snapshot.complete and bridge is not None)
        whole = chain((event_begin("snapshot", at.values()),), pieces, (EVENT_END,))
        for chunk in _chunks(chain(whole, _bridged(bridge or (), hub, session_id, at))):
            yield chunk
            await asyncio.sleep(0)

    async def _bridge(self, missing: Mapping[int, tuple[int, int]]) -> list[tuple[int, int, Event]] | None:
        async with self._bridges:
            return await self._follower.bridge(missing)


def _bridged(
    bridge: Iterable[tuple[int, int, Event]], hub: Hub, session_id: str | None, at: dict[int, int]
) -> Iterator[bytes]:
    """The events of the log behind the position ``at``, which moves with them."""
    for slot, offset, found in bridge:
        at[slot] = offset + 1
        if not isinstance(found, Session | Utterance | Window) or hub.is_hidden(found.session_id):
            continue
        if session_id in {None, found.session_id}:
            yield event(found.type, viewer_json(found), at.values())


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces, joined to chunks of about ``CHUNK_BYTES``."""
    joined = bytearray()
    for piece in pieces:
        joined += piece
        if len(joined) >= CHUNK_BYTES:
            yield bytes(joined)
            joined.clear()
    if joined:
        yield bytes(joined)


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


def _check_known(hub: Hub, snapshot: EncodedSnapshot, session_id: str) -> None:
    """Raise ``Refusal`` if neither the history nor the log knows the session, and the history could be asked."""
    if snapshot.complete and not snapshot.is_known and not hub.knows(session_id):
        raise unknown_session(session_id)
