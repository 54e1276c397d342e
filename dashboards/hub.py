"""The hub: the last minutes of what viewers see, in a ring, and the viewers that follow it. Pure: time is passed in.

The hub reads five topics. Offsets of all their partitions make a position: slot ``topic * partitions + partition``.
Entries of one slot lie in the ring in the order of the log; the order between slots is the order of arrival, and
may differ between replicas, which a cursor made of offsets does not mind. Of a deleted session the hub keeps and shows
nothing, whichever of its records it reads first: deletions are read from their beginning. Nor of a session that is past
the retention of text.
"""

from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, takewhile

from dashboards.positions import Position
from dashboards.viewers import Entry, Viewer
from undertone.events import Deletion, Event, Mark, Partial, Session, Utterance, Window
from undertone.identifiers import session_made_ms
from undertone.parts import in_parts
from undertone.topics import DELETIONS, PARTIALS, SESSIONS, UTTERANCES, WINDOWS, place

TOPICS = (SESSIONS, PARTIALS, UTTERANCES, WINDOWS, DELETIONS)
KEEP_MS = 600_000
MAX_ENTRIES = 100_000
MAX_BYTES = 64_000_000
MAX_KNOWN = 50_000
EXPIRE_EVERY_MS = 60_000
_ENTRY_BYTES = 1000  # what an entry takes besides its text


@dataclass(slots=True)
class Known:
    """What the hub remembers of a session beyond its entries."""

    seq: int = 0
    through: int = 0
    session: Session | None = None
    session_at: tuple[int, int] = (-1, -1)
    partial: Partial | None = None

    @property
    def is_ended(self) -> bool:
        """Whether nobody speaks in it now."""
        return self.session is not None and self.session.state == "ended"


class Hub:
    """Drops repeats, keeps the ring, and hands each new entry to the viewers that want it."""

    def __init__(
        self,
        partitions: int,
        start: Position,
        keep_ms: int = KEEP_MS,
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """``start`` is where reading begins, one offset per slot."""
        self.partitions = partitions
        self.head = start
        self.viewers: set[Viewer] = set()
        self._attaching: set[Viewer] = set()
        self._floor = list(start)
        self._ring: deque[Entry] = deque()
        self._bytes = 0
        self._index = 0
        self._keep_ms = keep_ms
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._windows: OrderedDict[Hashable, int] = OrderedDict()
        self._deleted: set[str] = set()
        self._oldest_ms: int | None = None
        self._of: dict[str, deque[Entry]] = {}  # the entries of the ring by session

    def slots(self, session_id: str | None) -> tuple[int, ...]:
        """The slots that concern a session, or all of them."""
        if session_id is None:
            return tuple(range(len(TOPICS) * self.partitions))
        partition = place(session_id, self.partitions)
        return tuple(topic * self.partitions + partition for topic in range(len(TOPICS)))

    def add(self, slot: int, offset: int, event: Event | None, at_ms: int, now_ms: int) -> None:
        """Take the record at ``offset`` of ``slot``, written at ``at_ms``; ``event`` is None if it holds none."""
        if offset < self.head[slot]:
            return
        self.head = (*self.head[:slot], offset + 1, *self.head[slot + 1 :])
        shown = self._learn(event, offset)
        if shown is not None:
            entry = Entry(self._index, min(at_ms, now_ms), slot, offset, self.head, shown)
            self._index += 1
            self._ring.append(entry)
            self._of.setdefault(shown.session_id, deque()).append(entry)
            self._bytes += len(entry.data) + _ENTRY_BYTES
            for viewer in self.viewers:
                viewer.push(entry)
        self._trim(now_ms)

    def knows(self, session_id: str) -> Session | None:
        """The session's latest state, if the hub has seen it and it is not deleted."""
        known = self._known.get(session_id)
        return known.session if known else None

    def said(self, session_id: str, utterance_id: str) -> Utterance | None:
        """An utterance of the last minutes."""
        finals = (event for event in self.recent(session_id) if isinstance(event, Utterance))
        return next((final for final in finals if final.utterance_id == utterance_id), None)

    def is_deleted(self, session_id: str) -> bool:
        """Whether the session was deleted, whenever that was."""
        return session_id in self._deleted

    def is_hidden(self, session_id: str) -> bool:
        """Whether nothing of the session is shown: it was deleted, or is past the retention of text."""
        return session_id in self._deleted or self._is_past(session_id)

    def expire(self, now_ms: int, oldest_ms: int | None) -> None:
        """Drop what has become old, also while nothing new is read: entries by their age, sessions by theirs.

        Sessions that were made before ``oldest_ms`` (Unix milliseconds) are past the retention of text; None keeps all.
        """
        self._trim(now_ms)
        if oldest_ms is None or (self._oldest_ms is not None and oldest_ms < self._oldest_ms + EXPIRE_EVERY_MS):
            return  # so many sessions are not looked through each second
        self._oldest_ms = oldest_ms
        for name in [name for name in {*self._known, *self._of} if self._is_past(name)]:
            self._drop(name)

    def partials(self, session_id: str | None) -> Iterator[Partial]:
        """The text that is changing now, of one session or of all."""
        for name, known in self._known.items():
            if known.partial is not None and session_id in {None, name}:
                yield known.partial

    def recent(self, session_id: str | None) -> Iterator[Session | Utterance | Window]:
        """Every event in the ring but partials, of one session or of all, oldest first."""
        for entry in self._entries(session_id):
            if not isinstance(entry.event, Partial):
                yield entry.event

    def missing(self, start: Mapping[int, int]) -> dict[int, tuple[int, int]]:
        """The ranges of offsets, by slot, that lie between ``start`` and the ring."""
        return {slot: (at, self._floor[slot]) for slot, at in start.items() if at < self._floor[slot]}

    async def attach(self, session_id: str | None, start: Mapping[int, int]) -> Viewer:
        """A viewer who has seen the log below ``start``, with what the ring has from there on. ``detach`` it.

        The ring counts as it is when this is called: ``missing`` belongs to the same moment.
        """
        viewer = Viewer(session_id, self.slots(session_id), dict(start))
        ring = list(self._entries(session_id))
        # Positions only grow. Thousands may come back at once, each with nearly all of the ring behind it.
        first = bisect_left(ring, True, key=lambda entry: any(entry.head[slot] > at for slot, at in start.items()))
        self._attaching.add(viewer)
        try:
            async for part in in_parts(ring[first:]):
                self._load(viewer, part)
            newest = ring[-1].index if ring else -1
            meanwhile = takewhile(lambda entry: entry.index > newest, reversed(self._entries(session_id)))
            self._load(viewer, reversed(list(meanwhile)))
            self.viewers.add(viewer)
        finally:
            self._attaching.discard(viewer)
        return viewer

    def detach(self, viewer: Viewer) -> None:
        """Forget a viewer."""
        self.viewers.discard(viewer)

    def _entries(self, session_id: str | None) -> deque[Entry]:
        """What the ring has of one session or of all, oldest first."""
        return self._ring if session_id is None else self._of.get(session_id, deque())

    def _load(self, viewer: Viewer, entries: Iterable[Entry]) -> None:
        for entry in entries:
            event = entry.event
            is_void = isinstance(event, Partial) and self._is_void(event)
            is_gone = self.is_hidden(event.session_id) and not (isinstance(event, Session) and event.state == "deleted")
            if not is_void and not is_gone:
                viewer.load(entry)

    def _learn(self, event: Event | None, offset: int) -> Session | Partial | Utterance | Window | None:
        """Remember what ``event`` says; return what viewers are to see of it."""
        if not isinstance(event, Deletion | Session | Partial | Utterance | Mark | Window):
            return None
        if event.session_id in self._deleted or (not isinstance(event, Deletion) and self._is_past(event.session_id)):
            return None
        if isinstance(event, Deletion):
            return self._forget(event.forgotten())
        return self._learn_window(event) if isinstance(event, Window) else self._learn_speech(event, offset)

    def _learn_speech(
        self, event: Session | Partial | Utterance | Mark, offset: int
    ) -> Session | Partial | Utterance | None:
        if isinstance(event, Session) and event.state == "deleted":
            return self._forget(event)
        known = self._known.setdefault(event.session_id, Known())
        self._known.move_to_end(event.session_id)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        if isinstance(event, Partial):
            return self._learn_partial(known, event)
        if isinstance(event, Session):
            if (event.seq, offset) <= known.session_at:
                return None
            known.session, known.session_at = event, (event.seq, offset)
        elif event.seq <= known.seq:
            return None
        else:
            known.seq = event.seq
        known.through = max(known.through, event.through)
        if known.partial is not None and self._is_void(known.partial):
            known.partial = None
        return None if isinstance(event, Mark) else event

    def _forget(self, deleted: Session) -> Session:
        """Keep of the session that it is deleted; return what viewers are told, in place of all that waits for them."""
        name = deleted.session_id
        self._deleted.add(name)
        self._drop(name)
        return deleted

    def _drop(self, name: str) -> None:
        """Forget what is known of a session, and what waits for viewers."""
        self._known.pop(name, None)
        if mine := self._of.pop(name, None):
            self._bytes -= sum(len(entry.data) + _ENTRY_BYTES for entry in mine)
            self._ring = deque(entry for entry in self._ring if entry.event.session_id != name)
        for viewer in chain(self.viewers, self._attaching):
            viewer.forget(name)

    def _is_past(self, session_id: str) -> bool:
        return self._oldest_ms is not None and session_made_ms(session_id) < self._oldest_ms

    def _learn_partial(self, known: Known, event: Partial) -> Partial | None:
        shown = known.partial
        if self._is_void(event) or (shown and shown.first_sample == event.first_sample and event.rev <= shown.rev):
            return None
        known.partial = event
        return event

    def _is_void(self, partial: Partial) -> bool:
        known = self._known.get(partial.session_id)
        return known is not None and (known.through > partial.first_sample or known.is_ended)

    def _learn_window(self, event: Window) -> Window | None:
        key = event.session_id, event.size_ms, event.start_ms
        if event.seq <= self._windows.get(key, -1):
            return None
        self._windows[key] = event.seq
        self._windows.move_to_end(key)
        if len(self._windows) > MAX_KNOWN:
            self._windows.popitem(last=False)
        return event

    def _trim(self, now_ms: int) -> None:
        ring = self._ring
        while ring and (
            ring[0].at_ms < now_ms - self._keep_ms or len(ring) > self._max_entries or self._bytes > self._max_bytes
        ):
            entry = ring.popleft()
            self._bytes -= len(entry.data) + _ENTRY_BYTES
            mine = self._of[entry.event.session_id]
            mine.popleft()  # entries of a session lie in the order of the ring
            if not mine:
                del self._of[entry.event.session_id]
            self._floor[entry.slot] = entry.offset + 1
