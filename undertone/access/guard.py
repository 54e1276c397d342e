"""Asks everybody, before a route does anything, for what the route needs. One for each side of the web."""

from collections.abc import Iterable
from typing import Annotated
from urllib.parse import quote

from fastapi import Query
from starlette.requests import HTTPConnection
from starlette.responses import Response

from undertone.access.addresses import own_origins
from undertone.access.keys import PREFIX, Keyring
from undertone.access.logins import Logins
from undertone.access.rights import ANYBODY, PUBLIC, Caller, Need, Needs, Right
from undertone.errors import FatalError, Refusal
from undertone.identifiers import is_session_id
from undertone.local.ports import is_loopback
from undertone.settings import Settings
from undertone.tokens import check_token


class Guard:
    """A dependency of a whole FastAPI app; its value is who asks."""

    def __init__(self, settings: Settings, needs: Needs) -> None:
        """Raises ``FatalError`` for settings under which nothing is to be served."""
        keyring = Keyring(settings.keys_file())
        check_access(settings, keyring)
        self.logins = Logins(settings, keyring)
        self._public_url = settings.public_url
        self._is_https = (settings.public_url or "").startswith("https:")
        self._cookie_s = settings.login_hours * 3600
        self.cookie = _cookie_name(settings)
        self._secrets = settings.checking_keys()
        self._needs = needs
        self._is_open = settings.access == "open"

    async def __call__(
        self,
        connection: HTTPConnection,
        token: Annotated[str | None, Query(description="a token of the session, where one is needed")] = None,
    ) -> Caller:
        """Who asks, and may: kept in ``state.caller``. Raises ``Refusal``. An old cookie spoils no good token."""
        caller = connection.state.caller = self._admit(connection, token)
        return caller

    def check_again(self, connection: HTTPConnection) -> None:
        """Raise ``Refusal`` if what the connection showed at its beginning opens its route no more.

        For what stays open: a key may be dropped, and a login or token may expire, while it does.
        """
        self._admit(connection, connection.query_params.get("token"))

    def _admit(self, connection: HTTPConnection, token: str | None) -> Caller:
        need = self._need(connection)
        session_id = connection.path_params.get("session_id")
        if session_id is not None and not is_session_id(session_id):
            raise Refusal("session_unknown", "there is no such session: it was never made, or deleted", status=404)
        if need == PUBLIC:
            return ANYBODY
        refusals = []
        if token is not None:
            try:
                return self._by_token(token, session_id, need)
            except Refusal as refusal:
                refusals.append(refusal)
        if need.right is not None and not (self._is_open and token is not None):
            try:
                return self._by_right(connection, need.right)
            except Refusal as refusal:
                refusals.append(refusal)
        raise first_to_tell(refusals)

    def who(self, connection: HTTPConnection) -> Caller | None:
        """Who asks, by key or login; None for nobody in particular. Raises ``Refusal`` for one that is not good."""
        if self._is_open:
            return Caller(ANYBODY.name, frozenset({Right.OPERATE}))
        kind, _, shown = connection.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and shown.startswith(PREFIX):
            return self.logins.by_key(shown)
        login = shown if kind.lower() == "bearer" else connection.cookies.get(self.cookie)
        if login:
            return self.logins.by_login(login, self.origins(connection))
        return None

    def origins(self, connection: HTTPConnection) -> frozenset[str]:
        """Where this server was reached by the connection, whatever name the client says."""
        return own_origins(connection.scope, self._public_url)

    def with_cookie(self, response: Response, login: str | None) -> Response:
        """The response with the cookie of a login; None takes it away.

        Scripts cannot read it, and no other site's request carries it: ``Strict`` costs nothing, since pages are the
        same for everybody and ask for what they show from their own origin.
        """
        lifetime_s = 0 if login is None else self._cookie_s
        response.set_cookie(
            self.cookie, login or "", lifetime_s, path="/", secure=self._is_https, httponly=True, samesite="strict"
        )
        return response

    def _need(self, connection: HTTPConnection) -> Need:
        method = "WS" if connection.scope["type"] == "websocket" else connection.scope["method"]
        return self._needs[method, connection.scope["route"].path]

    def _by_token(self, token: str, session_id: str | None, need: Need) -> Caller:
        if session_id is None or need.session is None:
            raise Refusal("token_foreign", "a session's token opens that session alone", status=403)
        maker = check_token(self._secrets, token, session_id, need.session)
        return Caller(f"session {session_id}", session_id=session_id, maker=maker)

    def _by_right(self, connection: HTTPConnection, right: Right) -> Caller:
        caller = self.who(connection)
        if caller is None:
            raise Refusal(
                "login_needed",
                f"this needs the right to {right}: log in, or show an API key as Authorization: Bearer …",
                status=401,
            )
        if not caller.may(right):
            raise Refusal("right_missing", f"this needs the right to {right}, and {caller.name} has it not", status=403)
        return caller


def first_to_tell(refusals: Iterable[Refusal]) -> Refusal:
    """The refusal of the first thing that was shown; that nothing was shown, only if so."""
    told = sorted(refusals, key=lambda refusal: refusal.code == "login_needed")
    missing = Refusal("token_missing", "this needs the session's token: add ?token=… to the address", status=401)
    return told[0] if told else missing


def check_access(settings: Settings, keyring: Keyring) -> None:
    """Raise ``FatalError`` if others could reach what these settings leave open, or nobody what they close."""
    if is_loopback(settings.host):
        return
    if settings.access == "open":
        raise FatalError(
            f"UNDERTONE_ACCESS=open lets everybody read everything, and {settings.host} can be reached from other "
            "machines: leave it out, or set UNDERTONE_HOST=127.0.0.1"
        )
    if keyring.is_empty():
        raise FatalError(
            f"{settings.host} can be reached from other machines, and there is no API key in {settings.keys_file()}: "
            "make one with `undertone keys make NAME --right operate`, or set UNDERTONE_HOST=127.0.0.1"
        )


def _cookie_name(settings: Settings) -> str:
    """Browsers send a cookie to every port of a host: two instances on one machine must not take each other's.

    Nor must two below path prefixes of one host. The name holds the prefix, and not the cookie's path: it stays valid
    where the owner reaches the server without the proxy, and ``__Host-`` asks for the path ``/``.
    """
    if settings.public_url is None:
        return f"undertone-{settings.port}"
    name = "__Host-undertone" if settings.public_url.startswith("https:") else "undertone"
    prefix = settings.path_prefix().strip("/")
    return f"{name}-{quote(prefix, safe='')}" if prefix else name
