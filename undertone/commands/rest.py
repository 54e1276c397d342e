"""Asks a server's REST API for the commands. No redirect is followed, and no answer of another program is taken."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from undertone.errors import UndertoneError
from undertone.http_answers import describe_stranger, is_of_type, is_refusal, read_object

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:8000"
TIMEOUT_S = 15.0
PAGE = 500

Json: TypeAlias = Mapping[str, Any]
Url: TypeAlias = Annotated[
    str,
    typer.Option(
        help="Where Undertone's web is. Without http:// or https:// in front: http here, https elsewhere.",
        envvar="UNDERTONE_URL",
    ),
]


def pages(url: str, path: str, items: str, token: str | None) -> Iterator[Json]:
    """The items of all pages of a list. Raises as ``ask``."""
    cursor = None
    while True:
        page = get(url, path, token=token, limit=PAGE, cursor=cursor)
        yield from page[items]
        cursor = page["next"]
        if cursor is None:
            return


def get(url: str, path: str, **parameters: object) -> Json:
    """The JSON of an answer to GET. Raises as ``ask``."""
    return ask("GET", url, path, **parameters)


def ask(method: str, url: str, path: str, **parameters: object) -> Json:
    """The JSON of an answer. Raises ``UndertoneError`` with the server's own words, or why it cannot be reached."""
    with asking(method, url, path, "application/json", **parameters) as response:
        response.read()
        body = read_object(response)
        if body is None:
            raise UndertoneError(describe_stranger(url, response))
        return body


@contextmanager
def understanding(url: str) -> Iterator[None]:
    """Raises ``UndertoneError`` if the block finds something else in an answer of ``url`` than Undertone writes."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UndertoneError(f"{url} does not answer as Undertone does: check --url") from error


@contextmanager
def asking(method: str, url: str, path: str, media_type: str, **parameters: object) -> Iterator["httpx.Response"]:
    """The answer of that type, still to be read. Raises ``UndertoneError`` as ``ask``."""
    import httpx

    from undertone.commands.credentials import find_server
    from undertone.proxies import open_client
    from undertone.session_keys import credential_headers

    given = {name: str(value) for name, value in parameters.items() if value is not None}
    try:
        server = find_server(url, has_token="token" in given)
        address, shown = server.url.rstrip("/") + path, credential_headers(server.credential)
        with (
            open_client(address, timeout=TIMEOUT_S) as http,
            http.stream(method, address, params=given, headers=shown) as response,
        ):
            if not response.is_success:
                raise _refused(url, response)
            if not is_of_type(response, media_type):
                raise UndertoneError(describe_stranger(url, response))
            yield response
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UndertoneError(
            f"{url} cannot be reached ({error}): start Undertone with `undertone up`, or name another with --url"
        ) from error


def _refused(url: str, response: "httpx.Response") -> UndertoneError:
    response.read()
    body = read_object(response)
    if body is None or not is_refusal(body):
        return UndertoneError(describe_stranger(url, response))
    if body["code"] in {"login_needed", "login_ended"}:
        return UndertoneError(
            f"{url} wants to know who asks: set UNDERTONE_HOME to its home, if it is on this machine and yours, "
            "or UNDERTONE_KEY to an API key with the right to read"
        )
    return UndertoneError(body["message"])
