"""The static pages. Their links are relative, so that they work below any path prefix that a proxy takes away."""

import mimetypes
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

WEB = Path(__file__).parent / "web"
NOT_FOUND = "not-found.html"
MOST_SLASHES = 32
"""Of an address that gets the page: each of its links repeats ``../`` for every slash."""

# modules, of the AudioWorklet too, are refused by browsers under any other type; systems differ in their tables
for _suffix in (".js", ".mjs"):
    mimetypes.add_type("text/javascript", _suffix)
mimetypes.add_type("application/manifest+json", ".webmanifest")


class Pages(StaticFiles):
    """The files of ``web``; ``/record`` is ``record.html``. Browsers ask each time whether a file has changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at ``path``, or else at ``path`` with ``.html``, or else a page that says that there is none.

        The last is for who takes HTML, outside the API. Raises ``HTTPException`` for the others.
        """
        try:
            response = await self._file(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or not _wants_page(scope):
                raise
            response = self._not_found(scope)
        response.headers["cache-control"] = "no-cache"
        return response

    async def _file(self, path: str, scope: Scope) -> Response:
        """A path that begins with two slashes has none: a page there would take its own path for another host."""
        if scope["path"].startswith("//"):
            raise HTTPException(404)
        try:
            return await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or "." in Path(path).name:
                raise
            page = await super().get_response(f"{path}.html", scope)
        if not scope["path"].endswith("/"):
            return page
        query = scope["query_string"].decode("latin-1")  # the links of a page are relative to its address without slash
        return RedirectResponse(f"../{Path(path).name}{'?' if query else ''}{query}", 308)

    def _not_found(self, scope: Scope) -> Response:
        """The page, with links that lead up from however deep the address is."""
        assert self.directory is not None
        text = (Path(self.directory) / NOT_FOUND).read_text(encoding="utf-8")
        asked = scope.get("raw_path") or scope["path"].encode()
        up = "../" * (asked.partition(b"?")[0].count(b"/") - 1) or "./"
        return HTMLResponse(text.replace('="./', f'="{up}'), 404)


def _wants_page(scope: Scope) -> bool:
    is_api = scope["path"] == "/v1" or scope["path"].startswith("/v1/")
    is_too_deep = (scope.get("raw_path") or scope["path"].encode()).count(b"/") > MOST_SLASHES
    return not is_api and not is_too_deep and "text/html" in Headers(scope=scope).get("accept", "")
