"""Limits of open connections: in all, and per address. Who is beyond is refused before anything is read.

The process needs file descriptors for Kafka, PostgreSQL and files besides, so connections get a part of them only.
Behind a trusted proxy the address of a connection is the proxy's. There the requests that are under way are counted
instead, by the address that the proxy names.
"""

import collections
from collections.abc import Callable, Hashable

from prometheus_client import Counter, Gauge
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from undertone.access.limits import AGAIN_AFTER_MS, address_name
from undertone.errors import Refusal
from undertone.refusals import answer, refuse_socket
from undertone.settings import Settings

OPEN = Gauge("undertone_connections", "Connections to the web that are open now.")
REFUSED = Counter("undertone_connections_refused", "Connections to the web that were refused because of a limit.")

MOST_CONNECTIONS = 10_000
PER_STREAM = 10
"""A page that follows one stream of events has a few more connections of its own."""
LEAST_PER_ADDRESS = 100


def most_connections(file_limit: int) -> int:
    """How many connections a process with this limit of open files takes: at most three quarters of them."""
    return min(MOST_CONNECTIONS, file_limit * 3 // 4)


def most_of_address(settings: Settings) -> int | None:
    """How many connections one address may have; None for no limit."""
    if settings.access == "open":
        return None
    return max(LEAST_PER_ADDRESS, PER_STREAM * settings.streams_per_address)


class Connections:
    """Counts what is open, each under a key of its own: a connection's transport, or a request's scope."""

    def __init__(
        self, most: int, most_of_address: int | None = None, is_proxy: Callable[[str], bool] = lambda _: False
    ) -> None:
        """``is_proxy`` says whether an address is a trusted proxy's, for which ``most_of_address`` does not hold."""
        self._most = most
        self._most_of_address = most_of_address
        self._is_proxy = is_proxy
        self._names: dict[Hashable, str] = {}
        self._of_name: collections.Counter[str] = collections.Counter()

    def __len__(self) -> int:
        return len(self._names)

    def admit(self, key: Hashable, host: str | None) -> Refusal | None:
        """Count one more of ``host``, or return why not. ``release`` it."""
        if len(self._names) >= self._most:
            words = f"the server has {self._most} connections open already: try again later, or add a replica"
            return Refusal("too_many_connections", words, status=503, retryable=True, retry_after_ms=AGAIN_AFTER_MS)
        name = address_name(host)
        limit = None if self._is_proxy(host or "") else self._most_of_address
        if limit is not None and self._of_name[name] >= limit:
            words = f"{name} has {limit} connections open already: close some"
            return Refusal("too_many_connections", words, status=429, retryable=True, retry_after_ms=AGAIN_AFTER_MS)
        self._names[key] = name
        self._of_name[name] += 1
        return None

    def release(self, key: Hashable) -> bool:
        """Count it no more. Returns whether it was counted."""
        name = self._names.pop(key, None)
        if name is None:
            return False
        self._of_name[name] -= 1
        if not self._of_name[name]:
            del self._of_name[name]
        return True


class RequestLimit:
    """Wraps an app and limits the requests and WebSockets under way per address, as a trusted proxy names it."""

    def __init__(self, app: ASGIApp, requests: Connections) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        key, client = object(), scope.get("client")
        refusal = self._requests.admit(key, client[0] if client else None)
        if refusal is None:
            try:
                await self._app(scope, receive, send)
            finally:
                self._requests.release(key)
        elif scope["type"] == "http":
            await answer(refusal)(scope, receive, send)
        else:
            await refuse_socket(WebSocket(scope, receive, send), refusal)
