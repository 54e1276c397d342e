"""Puts the write side together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from fastapi import Depends, FastAPI, WebSocket

from ingest_api.deletions import deletion_routes
from ingest_api.door import Door, rules_of
from ingest_api.files import file_routes
from ingest_api.follower import Follower
from ingest_api.ingest import Ingest
from ingest_api.limits import limits_of
from ingest_api.logins import login_routes
from ingest_api.pace import Paces
from ingest_api.publishers import Publishers
from ingest_api.rights import NEEDS
from ingest_api.sessions import session_routes
from ingest_api.uploads import Uploads
from ingest_api.websocket import serve_audio
from undertone import __version__
from undertone.access.guard import Guard
from undertone.access.origins import Origins
from undertone.access.quotas import Quotas
from undertone.access.routes import proof_routes
from undertone.background import BackgroundTasks, OnFailure, terminate
from undertone.head_requests import HeadRequests
from undertone.headers import SafeHeaders
from undertone.health import health_routes
from undertone.openapi import EVERYWHERE
from undertone.refusals import handle_refusals
from undertone.settings import Settings


def make_app(settings: Settings, on_failure: OnFailure = terminate) -> FastAPI:
    """The write side under these settings; it starts without Kafka and is ready when Kafka is.

    ``on_failure`` ends the process if one of its background tasks ends by itself.

    Serve it with uvicorn's ``ws_max_size`` at ``limits.WS_MAX_BYTES`` and ``ws_max_queue`` at ``limits.WS_MAX_QUEUE``.
    Raises ``FatalError`` if settings that it cannot do without are missing.
    """
    settings.brokers()
    background = BackgroundTasks(on_failure)
    guard, quotas = Guard(settings, NEEDS), Quotas(settings)
    publishers = Publishers(settings)
    follower = Follower(settings, lambda: datetime.now(UTC))
    limits = limits_of(settings)
    knowledge = follower.knowledge
    paces = Paces(knowledge.through, lambda session: knowledge.is_done(session, datetime.now(UTC)), limits.max_ahead_ms)
    door = Door(rules_of(settings), follower, paces)
    uploads = Uploads(limits.max_file_bytes)
    ingest = Ingest(settings.signing_key(), settings.token_hours, limits, publishers, follower, paces, door, uploads)

    def why_not_ready() -> str | None:
        return background.why_not_ready() or publishers.why_not_ready() or follower.why_not_ready()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        background.start("write to Kafka", publishers.run())
        background.start("follow sessions and deletions", follower.run())
        try:
            yield
        finally:
            await background.stop()

    app = FastAPI(
        title="Undertone ingest",
        version=__version__,
        lifespan=lifespan,
        dependencies=[Depends(guard), Depends(quotas.for_body)],
        docs_url=None,  # the readable forms of the OpenAPI load their scripts from elsewhere
        redoc_url=None,
        servers=[{"url": prefix}] if (prefix := settings.path_prefix()) else None,
        responses=EVERYWHERE,
        redirect_slashes=False,  # to an address that lacks the prefix of a proxy in front
    )
    app.add_middleware(Origins, settings=settings)
    app.add_middleware(SafeHeaders)
    app.add_middleware(HeadRequests)
    handle_refusals(app)
    knowing = [Depends(follower.wait_until_ready)]
    app.include_router(session_routes(ingest, quotas))
    app.include_router(file_routes(ingest), dependencies=knowing)
    app.include_router(deletion_routes(ingest, guard, settings))
    app.include_router(login_routes(guard, quotas))
    app.include_router(proof_routes(guard))

    @app.websocket("/v1/sessions/{session_id}/audio", dependencies=[Depends(quotas.for_stream), *knowing])
    async def audio(socket: WebSocket, session_id: str) -> None:
        await serve_audio(socket, session_id, ingest, partial(guard.check_again, socket))

    app.router.routes.extend(health_routes(why_not_ready))
    return app
