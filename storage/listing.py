"""The list of sessions: filtered, sorted, in pages by key."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.cursors import Key, make_cursor, read_cursor
from storage.queries import Page, bounded, fetch
from storage.rows import events_of
from storage.schema import sessions, windows
from undertone.audio import to_samples
from undertone.events import Label, Session
from undertone.identifiers import first_session_id
from undertone.normal_form import normalize

Sort: TypeAlias = Literal["newest", "negative", "longest"]

_whole = windows.alias("whole")
_IS_WHOLE = and_(_whole.c.session_id == sessions.c.session_id, _whole.c.size_ms == 0)
_KEYS: Mapping[Sort, tuple[ColumnElement[Any], type[Key]] | None] = {
    "newest": None,
    "negative": (_whole.c.score, float),
    "longest": (sessions.c.through, int),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which sessions: all that are given must hold.

    ``since`` and ``until`` bound when the session was made (the second is outside), ``sentiment`` is its commonest
    label, lengths are those of its media time.
    """

    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    language: str | None = None
    sentiment: Label | None = None
    tag: str | None = None
    min_length_ms: int | None = None
    max_length_ms: int | None = None

    def bounds(self) -> tuple[str, str]:
        """What ids of sessions lie between, the second outside."""
        since, until = (None if at is None else int(at.timestamp() * 1000) for at in (self.since, self.until))
        return "" if since is None else first_session_id(since), "g" if until is None else first_session_id(until)

    def without_traits(self) -> "Filters":
        """The same without ``traits``."""
        return replace(self, state=None, tag=None, min_length_ms=None, max_length_ms=None)

    def traits(self) -> list[ColumnElement[bool]]:
        """Conditions on ``sessions`` for what its utterances do not show: state, tag and length."""
        through = sessions.c.through
        found: list[ColumnElement[bool]] = []
        if self.state is not None:
            found.append(sessions.c.state == self.state)
        if self.tag is not None:
            found.append(sessions.c.tags.overlap(_spellings(self.tag)))
        if self.min_length_ms is not None:
            found.append(through >= bounded(to_samples(self.min_length_ms)))
        if self.max_length_ms is not None:
            found.append(through < bounded(to_samples(self.max_length_ms + 1)))
        return found


async def session_page(
    connection: AsyncConnection,
    filters: Filters | None = None,
    *,
    sort: Sort = "newest",
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Session]:
    """Sessions without deleted ones, newest first (ids sort by time of creation) or by another key, then newest first.

    By ``negative`` come those with the lowest mean score, without those that have none; by ``longest`` the longest
    first. A page of a live session's own key may change while it goes on, so it may be met again or be missed there.
    """
    filters = filters or Filters()
    key = _KEYS[sort]
    kind = "sessions" if key is None else f"sessions {sort}"
    # sorted both ways alike, so that one index serves: by the key and then by id, both up or both down
    is_down = sort != "negative"
    columns = [sessions.c.session_id] if key is None else [key[0], sessions.c.session_id]
    query = _filtered(filters, with_window=sort == "negative" or filters.sentiment is not None)
    if sort == "negative":
        query = query.where(_whole.c.score.is_not(None))
    if cursor is not None:
        last = tuple_(*read_cursor(kind, cursor, *([] if key is None else [key[1]]), str))
        query = query.where(tuple_(*columns) < last if is_down else tuple_(*columns) > last)
    query = query.order_by(*(column.desc() if is_down else column for column in columns))
    rows, more = await fetch(connection, query if key is None else query.add_columns(key[0].label("key")), limit)
    found = await events_of(Session, rows)
    if not more:
        return Page(found, None)
    last_key = [] if key is None else [rows[-1]["key"]]
    return Page(found, make_cursor(kind, *last_key, found[-1].session_id))


def _spellings(tag: str) -> list[str]:
    """Returns the tag as it is stored, and as versions before normalization may have stored it."""
    return sorted({tag, normalize(tag), unicodedata.normalize("NFD", tag)})


def _filtered(filters: Filters, *, with_window: bool) -> Select[Any]:
    first, end = filters.bounds()
    query = select(sessions).where(*filters.traits())
    query = query.where(sessions.c.session_id >= first) if first else query
    query = query.where(sessions.c.session_id < end) if filters.until else query
    query = query.where(sessions.c.language == filters.language) if filters.language else query
    if with_window:
        query = query.join(_whole, _IS_WHOLE)
    if filters.sentiment is not None:
        counts = [_whole.c.positive, _whole.c.neutral, _whole.c.negative]
        query = query.where(_whole.c[filters.sentiment] == func.greatest(*counts), _whole.c[filters.sentiment] > 0)
    return query
