"""What both sides say of their answers in ``/openapi.json``, which others make clients from.

A test (``tests/integration/test_openapi.py``) holds every answer against it.
"""

from typing import Any, Literal, TypeAlias

from pydantic import BaseModel

from undertone.events import Value

Responses: TypeAlias = dict[int | str, dict[str, Any]]

WORDS = {
    400: "a value of the request is wrong",
    401: "the token is missing, invalid or expired",
    403: "the token opens something else",
    404: "there is no such session, or it was deleted",
    408: "the body came too slowly",
    409: "the session is not in a state for this",
    410: "the session was deleted",
    413: "the body is too large",
    415: "the body is of a kind that is not taken",
    421: "the server was asked by a name that is not its own",
    422: "the request is wrong; the message says where",
    429: "too fast, or too much at once: wait for `retry_after_ms`",
    500: "a fault of the server",
    503: "something is away or busy: try again after `retry_after_ms`",
}


class Problem(Value):
    """The body of every error. ``code`` is stable and for programs, ``message`` says cause and remedy to a person."""

    type: Literal["error"]
    code: str
    message: str
    retryable: bool
    retry_after_ms: int | None


def problems(*statuses: int) -> Responses:
    """The errors of a route, as FastAPI's ``responses``."""
    return {status: {"model": Problem, "description": WORDS[status]} for status in statuses}


def binary_body(description: str) -> dict[str, Any]:
    """A body of bytes that the route reads by itself, as FastAPI's ``openapi_extra``."""
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return {"requestBody": {"required": True, "description": description, "content": content}}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """A body of JSON that the route reads by itself, as FastAPI's ``openapi_extra``."""
    return {"requestBody": {"content": {"application/json": {"schema": model.model_json_schema()}}}}


EVERYWHERE = problems(401, 403, 404, 421, 422, 500)
"""What any route under ``/v1`` may answer."""
