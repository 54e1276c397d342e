"""The static pages."""

import mimetypes
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

WEB = Path(__file__).parent / "web"

# modules, of the AudioWorklet too, are refused by browsers under any other type; systems differ in their tables
for _suffix in (".js", ".mjs"):
    mimetypes.add_type("text/javascript", _suffix)
mimetypes.add_type("application/manifest+json", ".webmanifest")


class Pages(StaticFiles):
    """The files of ``web``; ``/record`` is ``record.html``. Browsers ask each time whether a file has changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at ``path``, or else at ``path`` with ``.html``.

        A path that begins with two slashes has none: a page there would take its own path for another host.
        """
        if scope["path"].startswith("//"):
            raise HTTPException(404)
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or "." in Path(path).name:
                raise
            response = await super().get_response(f"{path}.html", scope)
        response.headers["cache-control"] = "no-cache"
        return response
