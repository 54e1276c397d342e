"""Search through what was said, the newest first, in time that hardly depends on how much is stored.

An index of words gives no order, so a common word would give millions of places to sort. Therefore the newest
utterances are read first, as they lie: a common word fills its page there. What does not fill it is rare enough for the
index, asked era by era backwards (``storage/eras.py``) until there is enough. No estimate decides, so none is wrong.
docs/decisions/0008-the-index-of-words.md has what was measured.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INTEGER, TSQUERY
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.cursors import make_cursor, read_cursor
from storage.eras import backwards
from storage.listing import Filters
from storage.queries import Page, all_rows
from storage.questions import Question, without_earlier
from storage.rows import events_of
from storage.schema import sessions, utterances
from storage.terms import VERSION
from undertone.errors import Refusal
from undertone.events import Utterance
from undertone.identifiers import session_made_ms

NEWEST = 4000
FIRST_STRETCH = 4  # times the newest at least, since eras are as long as they are: 16,000 to 128,000 utterances
FEW = 50  # sessions that are better read than sifted out
STATEMENT_MS = 2000
_CANCELLED = "57014"
# by the index utterances_of_earlier_terms, of which this is the condition
_HAS_EARLIER = text("SELECT EXISTS (SELECT FROM utterances WHERE terms IS NOT NULL AND terms_version < 2)")

_key = utterances.c.utterance_id
# for this transaction; a plan for any words and any eras would suit none
_SETTINGS = text(
    "SELECT set_config('statement_timeout', :timeout, true), set_config('plan_cache_mode', 'force_custom_plan', true)"
)


async def search(
    connection: AsyncConnection,
    question: Question,
    filters: Filters | None = None,
    *,
    session_id: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Utterance]:
    """Utterances with what is asked for: the newest session first, and of each session its last one first.

    Suppressed ones are not found. ``filters`` hold for an utterance's own language and label, and for its session's
    state, time, tag and length; ``session_id`` is that one alone. Raises ``Refusal`` (503) if it takes too long.
    """
    filters = filters or Filters()
    low, high = filters.bounds()
    if session_id is not None:
        low, high = max(low, f"{session_id}-"), min(high, f"{session_id}.")
    if cursor is not None:
        high = min(high, *read_cursor("search", cursor, str))
    try:
        await connection.execute(_SETTINGS, {"timeout": str(STATEMENT_MS)})
        if not (await connection.execute(_HAS_EARLIER)).scalar_one():
            question = without_earlier(question)
        found = await _find(connection, question, filters, (low, high), limit + 1)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _CANCELLED:
            raise
        words = "the search takes too long: ask for rarer words, or for a time, a language or one session"
        raise Refusal("search_too_broad", words, status=503) from error
    items = await events_of(Utterance, found[:limit])
    return Page(items, make_cursor("search", items[-1].utterance_id) if len(found) > limit else None)


async def _find(
    connection: AsyncConnection, question: Question, filters: Filters, between: tuple[str, str], limit: int
) -> list[dict[str, Any]]:
    """Up to ``limit`` rows between two keys, the second outside, from the last one back."""
    low, high = between
    if (few := await _few_sessions(connection, filters, low, high)) is not None:
        return await _rows(connection, _in_sessions(question, filters, few, low, high), limit)
    newest, edge, oldest, first, last = (await connection.execute(_edges(low, high))).one()
    if newest is None:
        return []
    rows = await _rows(connection, _among_newest(question, filters, low, high), limit)
    if edge is None:
        return rows
    newest_ms, edge_ms, oldest_ms = map(session_made_ms, (newest, edge, oldest))
    all_ms = session_made_ms(last) - session_made_ms(first)
    for eras in backwards(edge_ms, oldest_ms, FIRST_STRETCH * (newest_ms - edge_ms), all_ms):
        if len(rows) == limit:
            break
        rows += await _rows(connection, _in_eras(question, filters, eras, low, edge), limit - len(rows))
        edge = min(edge, rows[-1]["utterance_id"]) if rows else edge  # eras may overlap
    return rows


async def _few_sessions(connection: AsyncConnection, filters: Filters, low: str, high: str) -> list[str] | None:
    """The sessions that the filters leave by what utterances do not show, if they are few; else None."""
    if not (traits := filters.traits()):
        return None
    name = sessions.c.session_id
    found = await connection.execute(select(name).where(name >= low[:36], name < high, *traits).limit(FEW + 1))
    names = list(found.scalars())
    return names if len(names) <= FEW else None


def _edges(low: str, high: str) -> Select[Any]:
    """The last key, the last of the newest if there are as many, the first key; and the first and the last of all."""
    keys = select(_key).where(_key >= low, _key < high)
    back = keys.order_by(_key.desc()).limit(1)
    return select(
        back.scalar_subquery(),
        back.offset(NEWEST - 1).scalar_subquery(),
        keys.order_by(_key).limit(1).scalar_subquery(),
        select(func.min(_key)).scalar_subquery(),
        select(func.max(_key)).scalar_subquery(),
    )


def _among_newest(question: Question, filters: Filters, low: str, high: str) -> Select[Any]:
    """Those of the newest that are wanted, read until there are enough."""
    newest = select(utterances).where(_key >= low, _key < high).order_by(_key.desc()).limit(NEWEST).subquery()
    return select(newest).where(*_wanted(newest, question, filters)).order_by(newest.c.utterance_id.desc())


def _in_eras(question: Question, filters: Filters, eras: list[int] | None, low: str, high: str) -> Select[Any]:
    """Those of some eras that are wanted, by the index."""
    wanted = select(utterances).where(_key >= low, _key < high, *_wanted(utterances, question, filters))
    if eras is not None:
        wanted = wanted.where(utterances.c.eras.overlap(cast(eras, ARRAY(INTEGER))))
    return _sorted(wanted)


def _in_sessions(question: Question, filters: Filters, names: list[str], low: str, high: str) -> Select[Any]:
    """Those of a few sessions that are wanted."""
    inside = utterances.c.session_id.in_(names), _key >= low, _key < high
    return _sorted(select(utterances).where(*inside, *_wanted(utterances, question, filters.without_traits())))


def _sorted(wanted: Select[Any]) -> Select[Any]:
    """The newest first, sorted when all are found: behind OFFSET 0 no plan can walk the keys instead."""
    found = wanted.offset(literal_column("0")).subquery()
    return select(found).order_by(found.c.utterance_id.desc())


def _wanted(rows: FromClause, question: Question, filters: Filters) -> list[ColumnElement[bool]]:
    """What holds for an utterance among ``rows`` that is wanted."""
    wanted = [_matches(rows, question)]
    if filters.language is not None:
        wanted.append(rows.c.language == filters.language)
    if filters.sentiment is not None:
        wanted.append(rows.c.label == filters.sentiment)
    if traits := filters.traits():
        # not EXISTS, which would read all sessions to join them
        of_session = select(and_(*traits)).where(sessions.c.session_id == rows.c.session_id)
        wanted.append(of_session.scalar_subquery())
    return wanted


def _matches(rows: FromClause, question: Question) -> ColumnElement[bool]:
    """Whether the terms of a row are what is asked for, each row by the version of its terms."""
    matches = rows.c.terms.bool_op("@@")(cast(literal(question.query(), Text), TSQUERY))
    if question.earlier is None:
        return matches
    current = and_(matches, rows.c.terms_version == VERSION)
    if not question.earlier.phrases:
        return current
    return or_(current, and_(_matches(rows, question.earlier), rows.c.terms_version < VERSION))


async def _rows(connection: AsyncConnection, query: Select[Any], limit: int) -> list[dict[str, Any]]:
    return await all_rows(connection, query.limit(limit))
