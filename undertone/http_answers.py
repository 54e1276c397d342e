"""Reads HTTP answers that may not be Undertone's: a proxy in front answers too, with pages and JSON of its own."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx


def read_object(answer: "httpx.Response") -> Mapping[str, Any] | None:
    """The JSON object in the body, which has been read; None for any other body."""
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def is_refusal(body: Mapping[str, Any] | None) -> bool:
    """Whether a body is an error as Undertone writes it."""
    return body is not None and all(isinstance(body.get(name), str) for name in ("code", "message"))


def is_of_type(answer: "httpx.Response", media_type: str) -> bool:
    """Whether the answer says that its body is of this type. Parameters of both count for nothing."""
    given = answer.headers.get("content-type", "")
    return bool(given.partition(";")[0].strip().lower() == media_type.partition(";")[0])


def describe_stranger(url: str, answer: "httpx.Response") -> str:
    """What answered at ``url`` in place of Undertone: its status, and what to do.

    Redirects are not followed: the credential that goes with a request is meant for one server.
    """
    status = _status(answer.status_code)
    location = answer.headers.get("location")
    if location and 300 <= answer.status_code < 400:
        return f"{url} answers with status {status} and sends us to {_base(answer, location)}: name that with --url"
    if answer.status_code >= 500:
        return f"{url} answers with status {status}: a proxy in front of Undertone does not reach it. Try again later"
    return f"{url} answers with status {status}, and not as Undertone does: check --url"


def _status(code: int) -> str:
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


def _base(answer: "httpx.Response", location: str) -> str:
    """The base URL that a redirect leads to. The query is left out: it may hold a token."""
    from httpx import InvalidURL

    try:
        target = answer.request.url.join(location).copy_with(query=None, fragment=None)
    except InvalidURL:
        return "an address that is none"
    base, route, _ = str(target).rpartition("/v1/")
    return base if route else str(target).rstrip("/")
