"""The history over REST. Pages are ``{"<items>": […], "next": cursor or null}``; items are in the viewers' form."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dashboards.answers import SessionPage, UtterancePage, WindowPage
from dashboards.filters import Wanted
from dashboards.forms import unknown_session
from storage import queries
from storage.engine import reading
from storage.listing import Sort, session_page
from storage.statistics import Course, course
from undertone.events import Session, SessionState
from undertone.openapi import problems

MAX_PAGE = 500
MAX_WINDOW_PAGE = 5000

Cursor: TypeAlias = Annotated[str | None, Query(description="`next` of the page before")]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=MAX_PAGE)]
WindowLimit: TypeAlias = Annotated[int, Query(ge=1, le=MAX_WINDOW_PAGE)]
Live: TypeAlias = Callable[[str], Session | None]
"""Finds a session that the hub knows and the history not yet."""


def history_routes(engine: AsyncEngine, live: Live) -> APIRouter:
    """Routes that read ``engine``."""
    router = APIRouter(prefix="/v1/sessions", responses=problems(400, 503))

    async def find(connection: AsyncConnection, session_id: str) -> Session:
        return await find_session(connection, session_id, live)

    @router.get("")
    async def sessions(
        filters: Wanted,
        state: Literal["open", "live", "ended"] | None = None,
        sort: Sort = "newest",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> SessionPage:
        """Sessions, newest first unless sorted otherwise, and the whole-session windows of those that have one."""
        async with reading(engine) as connection:
            wanted = replace(filters, state=state)
            page = await session_page(connection, wanted, sort=sort, cursor=cursor, limit=limit)
            windows = await queries.whole_windows(connection, [session.session_id for session in page.items])
        return SessionPage(sessions=list(page.items), windows=windows, next=page.next)

    @router.get("/{session_id}")
    async def session(session_id: str) -> SessionState:
        """One session."""
        async with reading(engine) as connection:
            return await find(connection, session_id)

    @router.get("/{session_id}/utterances")
    async def utterances(
        session_id: str,
        from_ms: Annotated[
            int | None, Query(ge=0, description="only what starts then or later; `desc`: before")
        ] = None,
        order: Literal["asc", "desc"] = "asc",
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> UtterancePage:
        """The session's utterances, in order of time, or the latest first."""
        async with reading(engine) as connection:
            await find(connection, session_id)
            page = await queries.utterance_page(
                connection, session_id, from_ms=from_ms, backwards=order == "desc", cursor=cursor, limit=limit
            )
        return UtterancePage(utterances=page.items, next=page.next)

    @router.get("/{session_id}/windows")
    async def windows(
        session_id: str,
        size_ms: Annotated[int | None, Query(ge=0, description="only this size; 0 is the whole session")] = None,
        cursor: Cursor = None,
        limit: WindowLimit = 1000,
    ) -> WindowPage:
        """The session's windows, by size, then start."""
        async with reading(engine) as connection:
            await find(connection, session_id)
            page = await queries.window_page(connection, session_id, size_ms=size_ms, cursor=cursor, limit=limit)
        return WindowPage(windows=page.items, next=page.next)

    @router.get("/{session_id}/statistics")
    async def statistics(session_id: str) -> Course:
        """The session as a whole, its quarters, and the trend from the first to the last."""
        async with reading(engine) as connection:
            await find(connection, session_id)
            return await course(connection, session_id)

    return router


async def find_session(connection: AsyncConnection, session_id: str, live: Live) -> Session:
    """The session as it is stored, or as the hub knows it. Raises ``Refusal`` (404) for one that neither knows."""
    session = await queries.one_session(connection, session_id) or live(session_id)
    if session is None:
        raise unknown_session(session_id)
    return session
