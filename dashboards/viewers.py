"""One viewer's backlog: bounded, in the order of the ring, with only the latest of what is revised."""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property

from dashboards.forms import viewer_json
from dashboards.positions import Position
from undertone.events import Partial, Session, Utterance, Window

MAX_BEHIND = 1000
MAX_BEHIND_BYTES = 4_000_000


@dataclass(frozen=True)
class Entry:
    """An event for viewers. ``slot`` is its place in a full position, ``head`` the hub's position behind it."""

    index: int
    at_ms: int
    slot: int
    offset: int
    head: Position
    event: Session | Partial | Utterance | Window

    @cached_property
    def data(self) -> str:
        """Its JSON, made once for all viewers."""
        return viewer_json(self.event)

    @property
    def key(self) -> Hashable:
        """What a later entry replaces in a backlog: partials and windows by key; finals and sessions never."""
        event = self.event
        if isinstance(event, Partial):
            return event.session_id
        if isinstance(event, Window):
            return event.session_id, event.size_ms, event.start_ms
        return self.index


class Viewer:
    """What one viewer has still to get.

    ``slots`` are the places in a full position that concern it, ``start`` the offsets there from which it has not
    seen the log. Cut off at any entry, the cursor of that entry resumes with no gap and no repeat: a partial or
    window that was left out has its successor behind that cursor.
    """

    def __init__(
        self,
        session_id: str | None,
        slots: tuple[int, ...],
        start: Mapping[int, int],
        max_behind: int = MAX_BEHIND,
        max_behind_bytes: int = MAX_BEHIND_BYTES,
    ) -> None:
        self.session_id = session_id
        self.is_behind = False
        self.woken = asyncio.Event()
        self._slots = slots
        self._start = start
        self._pending: OrderedDict[Hashable, Entry] = OrderedDict()
        self._bytes = 0
        self._max_behind = max_behind
        self._max_bytes = max_behind_bytes

    def load(self, entry: Entry) -> None:
        """Add an entry of the ring at the beginning; these do not count as being behind."""
        if self._wants(entry):
            self._put(entry)
            self._max_behind += 1
            self._max_bytes += len(entry.data)

    def push(self, entry: Entry) -> None:
        """Add a new entry. A viewer that falls too far behind loses its backlog and ``is_behind``: close it."""
        if self.is_behind or not self._wants(entry):
            return
        self._put(entry)
        if len(self._pending) > self._max_behind or self._bytes > self._max_bytes:
            self.is_behind = True
            self._pending.clear()
        self.woken.set()

    def pop(self) -> Entry | None:
        """The next entry to send, or None while there is none."""
        if not self._pending:
            self.woken.clear()
            return None
        _, entry = self._pending.popitem(last=False)
        self._bytes -= len(entry.data)
        return entry

    def forget(self, session_id: str) -> None:
        """Drop what waits of a session."""
        for key in [key for key, entry in self._pending.items() if entry.event.session_id == session_id]:
            self._drop(key)

    def position(self, head: Position) -> Position:
        """This viewer's position when the hub's is ``head``."""
        return tuple(max(head[slot], self._start[slot]) for slot in self._slots)

    def _wants(self, entry: Entry) -> bool:
        if self.session_id is not None and entry.event.session_id != self.session_id:
            return False
        start = self._start.get(entry.slot)
        return start is not None and entry.offset >= start

    def _put(self, entry: Entry) -> None:
        event = entry.event
        self._drop(entry.key)
        if isinstance(event, Session | Utterance):
            waiting = self._pending.get(event.session_id)
            if waiting is not None and is_void(waiting.event, event):
                self._drop(event.session_id)
        self._pending[entry.key] = entry
        self._bytes += len(entry.data)

    def _drop(self, key: Hashable) -> None:
        dropped = self._pending.pop(key, None)
        if dropped is not None:
            self._bytes -= len(dropped.data)


def is_void(partial: object, event: Session | Utterance) -> bool:
    """Whether ``event`` voids the partial: its boundary passes the partial's start, or its session is over."""
    if not isinstance(partial, Partial):
        return False
    return event.through > partial.first_sample or (isinstance(event, Session) and event.state in {"ended", "deleted"})
