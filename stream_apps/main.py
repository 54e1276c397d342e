"""Runs one worker as a process: its clients, its app on Faust, its health port, until a signal or an error stops it."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import uvicorn
import uvloop
from starlette.applications import Starlette

from stream_apps.adapter import Adapter
from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import StreamApp
from stream_apps.obedience import Obedient
from stream_apps.presence import Outputs, Presence
from undertone.background import BackgroundTasks
from undertone.errors import FatalError
from undertone.health import health_routes
from undertone.kafka import open_publisher
from undertone.kafka_start import wait_for_kafka
from undertone.local.connections import Connections
from undertone.local.wires import BoundedConfig
from undertone.retry import retry
from undertone.settings import Settings

log = logging.getLogger(__name__)

WORKERS = ("transcriber", "classifier", "statistics", "archivist")
MOST_PROBES = 100
"""Connections that a health port takes at a time."""


def run_worker(name: str, settings: Settings) -> None:
    """Run a worker until SIGTERM or SIGINT. Raises ``FatalError`` for what only a person can mend."""
    if name not in WORKERS:
        raise FatalError(f"there is no worker {name!r}: choose one of {', '.join(WORKERS)}")
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # by policy: Faust's thread makes a loop of its own
    asyncio.run(_run(name, settings))


async def _run(name: str, settings: Settings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        await wait_for_kafka(settings)
        publisher = await retry(lambda: stack.enter_async_context(open_publisher(settings)), attempts=10)
        presence = Presence(settings.session_timeout_ms / 1000)
        outputs = Outputs(publisher, presence)
        dead_letters = DeadLetters(name, outputs)
        app = await _make_app(name, settings, outputs, dead_letters, stack)
        adapter = Adapter(app, settings, dead_letters)
        if hasattr(app, "attach"):
            app.attach(adapter)
        await stack.enter_async_context(serve_health(settings, adapter))
        presence.begin()
        watching: asyncio.Future[object] = asyncio.ensure_future(presence.watch())
        await adapter.start()
        stack.push_async_callback(adapter.stop)
        stopped: asyncio.Future[object] = asyncio.ensure_future(stopping.wait())
        crashed: asyncio.Future[object] = asyncio.ensure_future(adapter.faust.wait_until_stopped())
        ends = {watching, stopped, crashed, adapter.failed}
        done, pending = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        for task in done:
            task.result()
        if crashed in done:
            raise FatalError(f"the {name} worker's Kafka consumer stopped; its log says why")
        log.info("%s stops", name)


async def _make_app(
    name: str, settings: Settings, outputs: Outputs, dead_letters: DeadLetters, stack: AsyncExitStack
) -> StreamApp:
    """The app; imports only what this worker needs, since models and databases are slow to import."""
    if name == "transcriber":
        from stream_apps.transcriber import open_transcriber

        return Obedient(await stack.enter_async_context(open_transcriber(settings, outputs, dead_letters)), settings)
    if name == "classifier":
        from stream_apps.classifier import make_classifier

        return Obedient(make_classifier(settings, outputs), settings)
    if name == "statistics":
        from stream_apps.statistician import Statistician

        return Obedient(Statistician(settings, outputs, dead_letters), settings)
    from stream_apps.archivist import open_archivist

    return await stack.enter_async_context(open_archivist(settings, outputs, dead_letters))


@asynccontextmanager
async def serve_health(settings: Settings, adapter: Adapter) -> AsyncIterator[None]:
    """Serve /healthz, /readyz and /metrics on the health port, if there is one."""
    if settings.health_port == 0:
        yield
        return
    web = Starlette(routes=health_routes(adapter.why_not_ready))
    server = _HealthServer(
        BoundedConfig(web, Connections(MOST_PROBES), log_config=None, access_log=False, lifespan="off")
    )
    family = socket.AF_INET6 if ":" in settings.health_host else socket.AF_INET
    try:
        taken = socket.create_server((settings.health_host, settings.health_port), family=family)
    except OSError as error:
        raise FatalError(
            f"port {settings.health_port} is taken: set UNDERTONE_HEALTH_PORT to a free one ({error})"
        ) from error
    background = BackgroundTasks(adapter.fail)
    with taken:
        background.start("serve health and metrics", server.serve([taken]))
        try:
            yield
        finally:
            await background.stop()


class _HealthServer(uvicorn.Server):
    """A server that takes no signals: they stop the worker, which then stops this server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
