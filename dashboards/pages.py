"""The static pages, and the headers that keep them to this origin."""

import mimetypes
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WEB = Path(__file__).parent / "web"

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # addresses of sessions carry tokens
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
}

# modules, of the AudioWorklet too, are refused by browsers under any other type; systems differ in their tables
for _suffix in (".js", ".mjs"):
    mimetypes.add_type("text/javascript", _suffix)


class Pages(StaticFiles):
    """The files of ``web``; ``/record`` is ``record.html``. Browsers ask each time whether a file has changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at ``path``, or else at ``path`` with ``.html``."""
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or "." in Path(path).name:
                raise
            response = await super().get_response(f"{path}.html", scope)
        response.headers["cache-control"] = "no-cache"
        return response


class SafeHeaders:
    """Adds ``HEADERS`` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the headers in the answer."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_safely if scope["type"] == "http" else send)
