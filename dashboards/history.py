"""The history over REST. Pages are ``{"<items>": […], "next": cursor or null}``; items are in the viewers' form."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dashboards.answers import SessionPage, UtterancePage, WindowPage
from dashboards.filters import Wanted
from dashboards.forms import deleted_session, unknown_session
from dashboards.hub import Hub
from dashboards.reads import Read, Reader, Reads, json_list, json_stream, paged
from storage import queries
from storage.engine import reading
from storage.listing import Sort, session_page
from storage.queries import Page
from storage.statistics import Course, course
from undertone.events import Session, SessionState, Utterance, Window
from undertone.openapi import problems

MAX_PAGE = 500
MAX_WINDOW_PAGE = 5000

Cursor: TypeAlias = Annotated[str | None, Query(description="`next` of the page before")]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=MAX_PAGE)]
WindowLimit: TypeAlias = Annotated[int, Query(ge=1, le=MAX_WINDOW_PAGE)]
FilledHub: TypeAlias = Callable[[], Awaitable[Hub]]
"""The hub knows what is deleted, and sessions that the history does not know yet. Raises ``Refusal`` till it does."""

ReadPage: TypeAlias = Callable[[AsyncConnection, str | None, int], Awaitable[Page[Utterance] | Page[Window]]]
"""Reads a page behind a cursor, of at most so many events."""


def history_routes(engine: AsyncEngine, filled_hub: FilledHub, reads: Reads) -> APIRouter:
    """Routes that read ``engine``."""
    router = APIRouter(prefix="/v1/sessions", responses=problems(400, 410, 429, 503))
    ByTurns: TypeAlias = Annotated[Reader, Depends(reads.reader)]

    @router.get("", response_model=SessionPage)
    async def sessions(
        reader: ByTurns,
        filters: Wanted,
        state: Literal["open", "live", "ended"] | None = None,
        sort: Sort = "newest",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Response:
        """Sessions, newest first unless sorted otherwise, and the whole-session windows of those that have one."""
        hub = await filled_hub()
        await reader.turn()
        async with reading(engine) as connection:
            wanted = replace(filters, state=state)
            page = await session_page(connection, wanted, sort=sort, cursor=cursor, limit=limit)
            kept = [session for session in page.items if not hub.is_deleted(session.session_id)]
            windows = await queries.whole_windows(connection, [session.session_id for session in kept])
        return json_stream(_written(kept, windows, page.next))

    @router.get("/{session_id}")
    async def session(session_id: str) -> SessionState:
        """One session."""
        hub = await check_kept(session_id, filled_hub)
        async with reading(engine) as connection:
            return await find_session(connection, session_id, hub)

    @router.get("/{session_id}/utterances", response_model=UtterancePage)
    async def utterances(
        session_id: str,
        reader: ByTurns,
        from_ms: Annotated[
            int | None, Query(ge=0, description="only what starts then or later; `desc`: before")
        ] = None,
        order: Literal["asc", "desc"] = "asc",
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Response:
        """The session's utterances, in order of time, or the latest first."""

        async def read(connection: AsyncConnection, cursor: str | None, limit: int) -> Page[Utterance]:
            return await queries.utterance_page(
                connection, session_id, from_ms=from_ms, backwards=order == "desc", cursor=cursor, limit=limit
            )

        return await paged("utterances", _of_session(session_id, engine, filled_hub, read), cursor, limit, reader)

    @router.get("/{session_id}/windows", response_model=WindowPage)
    async def windows(
        session_id: str,
        reader: ByTurns,
        size_ms: Annotated[int | None, Query(ge=0, description="only this size; 0 is the whole session")] = None,
        cursor: Cursor = None,
        limit: WindowLimit = 1000,
    ) -> Response:
        """The session's windows, by size, then start."""

        async def read(connection: AsyncConnection, cursor: str | None, limit: int) -> Page[Window]:
            return await queries.window_page(connection, session_id, size_ms=size_ms, cursor=cursor, limit=limit)

        return await paged("windows", _of_session(session_id, engine, filled_hub, read), cursor, limit, reader)

    @router.get("/{session_id}/statistics")
    async def statistics(session_id: str, reader: ByTurns) -> Course:
        """The session as a whole, its quarters, and the trend from the first to the last."""
        hub = await check_kept(session_id, filled_hub)
        await reader.turn()
        async with reading(engine) as connection:
            await find_session(connection, session_id, hub)
            return await course(connection, session_id)

    return router


def _of_session(session_id: str, engine: AsyncEngine, filled_hub: FilledHub, read: ReadPage) -> Read:
    """Pages of one session, each over a connection of its own, until the session is deleted."""
    is_known = False

    async def read_on(cursor: str | None, limit: int) -> Page[Utterance] | Page[Window] | None:
        nonlocal is_known
        if is_known and (await filled_hub()).is_deleted(session_id):
            return None
        hub = await check_kept(session_id, filled_hub)
        async with reading(engine) as connection:
            if not is_known:
                await find_session(connection, session_id, hub)
                is_known = True
            return await read(connection, cursor, limit)

    return read_on


async def _written(sessions: list[Session], windows: list[Window], cursor: str | None) -> AsyncIterator[str]:
    """A ``SessionPage`` in pieces."""
    yield '{"sessions":'
    async for piece in json_list(sessions):
        yield piece
    yield ',"windows":'
    async for piece in json_list(windows):
        yield piece
    yield f',"next":{json.dumps(cursor)}}}'


async def check_kept(session_id: str, filled_hub: FilledHub) -> Hub:
    """The hub, if the session is not deleted. Raises ``Refusal``."""
    hub = await filled_hub()
    if hub.is_deleted(session_id):
        raise deleted_session(session_id)
    return hub


async def find_session(connection: AsyncConnection, session_id: str, hub: Hub) -> Session:
    """A session that the history or the hub knows. Raises ``Refusal`` for others."""
    session = await queries.one_session(connection, session_id) or hub.knows(session_id)
    if session is None:
        raise unknown_session(session_id)
    return session
