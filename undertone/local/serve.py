"""Serves one web part, or both on one origin, with uvicorn."""

import contextlib
import gc
import socket
import sys
from typing import TYPE_CHECKING, Literal, TypeAlias

from undertone.background import OnFailure
from undertone.errors import FatalError
from undertone.settings import Settings

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

WebPart: TypeAlias = Literal["ingest", "dashboards", "all"]
STOP_S = 2
"""How long open requests (viewers' streams, recorders) may last once we are asked to stop."""


def serve(part: WebPart, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises ``FatalError`` for settings that it cannot do without, a taken port, or a background task that has ended.
    """
    import uvicorn

    from undertone.local.file_limit import raise_file_limit
    from undertone.local.ports import is_free

    if not is_free(settings.host, settings.port):
        raise FatalError(f"port {settings.port} of {settings.host} is taken: set UNDERTONE_PORT to a free one")

    failures: list[FatalError] = []

    def stop(failure: FatalError) -> None:
        failures.append(failure)
        server.should_exit = True

    config = make_config(_make_app(part, settings, stop), settings, raise_file_limit())
    listening = config.bind_socket()
    _drop_the_frozen(listening, settings.viewer_timeout_s)
    server = uvicorn.Server(config)
    gc.collect()
    gc.freeze()  # a full collection need not look at what starting made: it stops the event loop
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    if failures:
        raise failures[0]
    if not server.started:
        sys.exit(3)  # as uvicorn's own command


def make_config(app: "ASGIApp", settings: Settings, file_limit: int) -> "uvicorn.Config":
    """uvicorn's settings for ``app`` in a process that may open ``file_limit`` files."""
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    from ingest_api.limits import WS_MAX_BYTES, WS_MAX_QUEUE
    from undertone.local.connections import Connections, RequestLimit, most_connections, most_of_address
    from undertone.local.wires import BoundedConfig

    most, of_address = most_connections(file_limit), most_of_address(settings)
    connections = Connections(most, of_address)
    if settings.proxies is not None:
        trusted = ProxyHeadersMiddleware(app, settings.proxies).trusted_hosts  # type: ignore[arg-type]
        connections = Connections(most, of_address, lambda host: host in trusted)
        app = RequestLimit(app, Connections(most, of_address))
    return BoundedConfig(
        app,
        connections,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        proxy_headers=settings.proxies is not None,
        forwarded_allow_ips=settings.proxies,
        server_header=False,
        ws_max_size=WS_MAX_BYTES,
        ws_max_queue=WS_MAX_QUEUE,
        timeout_graceful_shutdown=STOP_S,
    )


def _drop_the_frozen(listening: socket.socket, timeout_s: int) -> None:
    """Let the kernel end each accepted connection whose other end takes nothing, or is gone, for so long.

    What was sent to it lies in buffers of the kernel and of the event loop, which for a client that stands still are
    kept for as long as it does, after a close as well.
    """
    if sys.platform == "linux":
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_s * 1000)


def _make_app(part: WebPart, settings: Settings, on_failure: OnFailure):  # type: ignore[no-untyped-def]
    if part == "ingest":
        from ingest_api.app import make_app as make_ingest

        return make_ingest(settings, on_failure)
    if part == "dashboards":
        from dashboards.app import make_app as make_dashboards

        return make_dashboards(settings, on_failure=on_failure)
    from undertone.local.web import join

    return join(_make_app("ingest", settings, on_failure), _make_app("dashboards", settings, on_failure))
