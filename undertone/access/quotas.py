"""What one caller, one address and one session may have of a side of the web; dependencies of the routes concerned."""

import math
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack

from starlette.requests import HTTPConnection

from undertone.access.limits import ByteBudget, Places, Rate, address_name
from undertone.errors import Refusal
from undertone.settings import Settings

LOGINS_PER_MINUTE = 10
SOCKETS_PER_SESSION = 4
VIEWERS_PER_SESSION = 500
BODIES_BYTES = 64_000_000
BODIES_BYTES_PER_ADDRESS = 16_000_000


class Quotas:
    """One for each side. An open instance has none."""

    def __init__(self, settings: Settings) -> None:
        self._is_open = settings.access == "open"
        self._sessions = Rate(settings.sessions_per_minute)
        self._logins = Rate(LOGINS_PER_MINUTE)
        self._of_address = Places(settings.streams_per_address)
        self._sockets = Places(SOCKETS_PER_SESSION)
        self._viewers = Places(VIEWERS_PER_SESSION)
        self._bodies = ByteBudget(BODIES_BYTES, BODIES_BYTES_PER_ADDRESS)

    async def for_session(self, connection: HTTPConnection) -> None:
        """Count a session that is made, for whoever makes it and for the address. Raises ``Refusal``."""
        for name in (connection.state.caller.name, _address(connection)):
            if wait_s := self._wait_s(self._sessions, name):
                words = f"{name} makes too many sessions: try again in {wait_s} s"
                raise Refusal("too_many_sessions", words, status=429, retryable=True, retry_after_ms=wait_s * 1000)

    async def for_login(self, connection: HTTPConnection) -> None:
        """Count an attempt to log in, for the address. Raises ``Refusal``."""
        if wait_s := self._wait_s(self._logins, _address(connection)):
            words = f"there were too many attempts to log in: try again in {wait_s} s"
            raise Refusal("too_many_logins", words, status=429, retryable=True, retry_after_ms=wait_s * 1000)

    async def for_stream(self, connection: HTTPConnection) -> AsyncIterator[None]:
        """Hold a place of the address, and one of the session, for as long as a stream or socket is open."""
        with ExitStack() as places:
            if not self._is_open:
                places.enter_context(self._of_address.hold(_address(connection)))
                session_id = connection.path_params.get("session_id")
                if session_id is not None:
                    of_session = self._sockets if connection.scope["type"] == "websocket" else self._viewers
                    places.enter_context(of_session.hold(f"session {session_id}"))
            yield

    async def for_body(self, connection: HTTPConnection) -> AsyncIterator[None]:
        """Let the request hold a body in memory, within the budget, until it is answered."""
        with self._bodies.hold(None if self._is_open else _address(connection)) as held:
            connection.state.held_body = held
            yield

    def _wait_s(self, rate: Rate, name: str) -> int:
        return 0 if self._is_open else math.ceil(rate.take(name, time.monotonic()))


def account_of(connection: HTTPConnection) -> str:
    """On whose account it goes what a session's token opens: of who made the session, or else of the address."""
    maker: str | None = connection.state.caller.maker
    return _address(connection) if maker is None else f"key {maker}"


def _address(connection: HTTPConnection) -> str:
    return address_name(connection.client.host if connection.client else None)
