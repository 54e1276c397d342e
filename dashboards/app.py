"""The read side: history over REST, the live view over server-sent events, and the pages."""

import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Query
from sse_starlette import EventSourceResponse
from starlette.requests import HTTPConnection

import undertone
from dashboards.answers import Login
from dashboards.downloads import download_routes
from dashboards.follower import Follower
from dashboards.history import history_routes
from dashboards.hub import Hub
from dashboards.listening import listening_routes
from dashboards.pages import WEB, Pages
from dashboards.reads import Reads
from dashboards.refusals import handle_history_errors
from dashboards.rights import NEEDS
from dashboards.search import search_routes
from dashboards.streams import Pace, Streams
from dashboards.tape import Tape
from storage.engine import READ_S, make_engine
from undertone.access.guard import Guard
from undertone.access.origins import Origins
from undertone.access.quotas import Quotas
from undertone.access.rights import Caller
from undertone.access.routes import proof_routes
from undertone.background import BackgroundTasks, OnFailure, terminate
from undertone.errors import Refusal
from undertone.head_requests import HeadRequests
from undertone.headers import SafeHeaders
from undertone.health import health_routes
from undertone.openapi import EVERYWHERE, problems
from undertone.refusals import handle_refusals
from undertone.settings import Settings

STREAM = problems(429, 503) | {
    200: {
        "description": "server-sent events, without end; docs/http.md lists them",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def make_app(settings: Settings, pace: Pace | None = None, on_failure: OnFailure = terminate) -> FastAPI:
    """The app; its lifespan follows the log. ``on_failure`` ends the process if that ends by itself.

    Raises ``FatalError`` if Kafka, database or secret are not set.
    """
    settings.brokers()
    guard = Guard(settings, NEEDS)
    engine = make_engine(settings.database_url(), pool_size=10, statement_timeout_ms=round(READ_S * 1000))
    pace = pace or Pace(send_timeout_s=settings.viewer_timeout_s)
    follower = Follower(settings, stale_after_s=pace.stale_after_s)
    background = BackgroundTasks(on_failure)
    streams = Streams(settings, engine, follower, pace)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        background.start("follow the log for viewers", follower.run())
        try:
            yield
        finally:
            await background.stop()
            await streams.close()
            await engine.dispose()

    async def filled_hub() -> Hub:
        return await follower.filled_hub(pace.fill_wait_s)

    app = FastAPI(
        title="Undertone: read side",
        version=undertone.__version__,
        lifespan=lifespan,
        dependencies=[Depends(guard)],
        docs_url=None,  # these pages load scripts of other origins, which ours does not allow
        redoc_url=None,
        servers=[{"url": prefix}] if (prefix := settings.path_prefix()) else None,
        responses=EVERYWHERE,
    )
    app.add_middleware(Origins, settings=settings)
    app.add_middleware(SafeHeaders)
    app.add_middleware(HeadRequests)
    handle_refusals(app)
    handle_history_errors(app)
    reads = Reads(is_open=settings.access == "open")
    app.include_router(history_routes(engine, filled_hub, reads))
    app.include_router(search_routes(engine, filled_hub, reads))
    app.include_router(download_routes(engine, filled_hub, reads))
    app.include_router(listening_routes(engine, filled_hub, Tape(settings)))
    _add_streams(app, streams, guard, Quotas(settings))
    _add_login(app, guard)
    app.include_router(proof_routes(guard))
    app.routes.extend(health_routes(lambda: background.why_not_ready() or follower.why_not_ready()))
    app.mount("/", Pages(directory=WEB, html=True))
    return app


def _add_streams(app: FastAPI, streams: Streams, guard: Guard, quotas: Quotas) -> None:
    counted = [Depends(quotas.for_stream)]
    cursor_query = Query(alias="last_event_id", description="the last id that was received")

    @app.get("/v1/events", response_class=EventSourceResponse, responses=STREAM, dependencies=counted)
    async def all_events(
        connection: HTTPConnection,
        asked: Annotated[str | None, cursor_query] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> EventSourceResponse:
        """Every session's events."""
        check = partial(guard.check_again, connection)
        return await streams.open(None, last_event_id or asked or None, is_proven=True, check=check)

    @app.get(
        "/v1/sessions/{session_id}/events",
        response_class=EventSourceResponse,
        responses=STREAM | problems(410),
        dependencies=counted,
    )
    async def session_events(
        connection: HTTPConnection,
        session_id: str,
        caller: Annotated[Caller, Depends(guard)],
        asked: Annotated[str | None, cursor_query] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> EventSourceResponse:
        """One session's events."""
        is_proven = caller.session_id == session_id  # whoever has its token knows that it was made
        check = partial(guard.check_again, connection)
        return await streams.open(session_id, last_event_id or asked or None, is_proven=is_proven, check=check)


def _add_login(app: FastAPI, guard: Guard) -> None:
    @app.get("/v1/login")
    async def login(connection: HTTPConnection) -> Login:
        """Who asks, and what they may: nobody and nothing without a login."""
        with contextlib.suppress(Refusal):
            if caller := guard.who(connection):
                return Login(name=caller.name, rights=sorted(caller.rights))
        return Login(name=None, rights=[])
