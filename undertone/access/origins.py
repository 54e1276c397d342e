"""Who a request was meant for, and which site sent it: neither another site's page nor a borrowed name gets through.

A browser runs pages of every site, and sends what they ask for to us with our cookie, or to an instance on the same
machine that asks for nothing. Two headers give such requests away, and pages cannot choose them: ``Host`` is the name
that was typed, which is not ours where a site has pointed its own name at our address (DNS rebinding); ``Origin`` is
the site whose page asks. Programs send no ``Origin`` and pass.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from undertone.errors import Refusal
from undertone.local.ports import is_loopback, is_wildcard
from undertone.refusals import answer
from undertone.settings import Settings

FOR_OPERATORS = frozenset({"/healthz", "/readyz", "/metrics"})
_OTHER_SITES = frozenset({"cross-site", "same-site"})


class Origins:
    """Refuses requests that were meant for somebody else, or that another site's page sent."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        public = urlsplit(settings.public_url or "")
        self._app = app
        self._public = f"{public.scheme}://{public.netloc}".lower()
        self._names = {"localhost", "127.0.0.1", "::1", public.hostname or ""} - {""}
        self._is_local = is_loopback(settings.host)
        if not is_wildcard(settings.host):
            self._names.add(settings.host.lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        refusal = None if scope["type"] == "lifespan" else self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await answer(refusal)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: the handshake gets a 403

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        if not self._is_local and scope["path"] in FOR_OPERATORS:
            return None  # probes and Prometheus ask for these by names of their own network
        host = headers.get("host", "").lower()
        if not self._is_ours(_name(host), scope.get("server")):
            return Refusal(
                "host_unknown",
                "this server is not known by that name: set UNDERTONE_PUBLIC_URL to the address that people type",
                status=421,
            )
        origin = headers.get("origin")
        if origin is not None and not self._is_same(origin.lower(), host):
            return _foreign()
        if scope["path"].startswith("/v1/") and headers.get("sec-fetch-site") in _OTHER_SITES:
            return None if headers.get("sec-fetch-mode") == "navigate" else _foreign()
        return None

    def _is_ours(self, name: str, server: tuple[str, int | None] | None) -> bool:
        return name in self._names or (server is not None and name == server[0])

    def _is_same(self, origin: str, host: str) -> bool:
        return origin == self._public or origin in {f"http://{host}", f"https://{host}"}


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _foreign() -> Refusal:
    return Refusal("origin_foreign", "a page of another site sent this request", status=403)
