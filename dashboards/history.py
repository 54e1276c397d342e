"""The history over REST. Pages are ``{"<items>": […], "next": cursor or null}``; items are in the viewers' form."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dashboards.answers import SessionPage, UtterancePage, WindowPage
from dashboards.filters import Wanted
from dashboards.forms import deleted_session, unknown_session
from dashboards.hub import Hub
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
FilledHub: TypeAlias = Callable[[], Awaitable[Hub]]
"""The hub knows what is deleted, and sessions that the history does not know yet. Raises ``Refusal`` till it does."""


def history_routes(engine: AsyncEngine, filled_hub: FilledHub) -> APIRouter:
    """Routes that read ``engine``."""
    router = APIRouter(prefix="/v1/sessions", responses=problems(400, 410, 503))

    @router.get("")
    async def sessions(
        filters: Wanted,
        state: Literal["open", "live", "ended"] | None = None,
        sort: Sort = "newest",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> SessionPage:
        """Sessions, newest first unless sorted otherwise, and the whole-session windows of those that have one."""
        hub = await filled_hub()
        async with reading(engine) as connection:
            wanted = replace(filters, state=state)
            page = await session_page(connection, wanted, sort=sort, cursor=cursor, limit=limit)
            kept = [session for session in page.items if not hub.is_deleted(session.session_id)]
            windows = await queries.whole_windows(connection, [session.session_id for session in kept])
        return SessionPage(sessions=list(kept), windows=windows, next=page.next)

    @router.get("/{session_id}")
    async def session(session_id: str) -> SessionState:
        """One session."""
        hub = await check_kept(session_id, filled_hub)
        async with reading(engine) as connection:
            return await find_session(connection, session_id, hub)

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
        hub = await check_kept(session_id, filled_hub)
        async with reading(engine) as connection:
            await find_session(connection, session_id, hub)
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
        hub = await check_kept(session_id, filled_hub)
        async with reading(engine) as connection:
            await find_session(connection, session_id, hub)
            page = await queries.window_page(connection, session_id, size_ms=size_ms, cursor=cursor, limit=limit)
        return WindowPage(windows=page.items, next=page.next)

    @router.get("/{session_id}/statistics")
    async def statistics(session_id: str) -> Course:
        """The session as a whole, its quarters, and the trend from the first to the last."""
        hub = await check_kept(session_id, filled_hub)
        async with reading(engine) as connection:
            await find_session(connection, session_id, hub)
            return await course(connection, session_id)

    return router


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
