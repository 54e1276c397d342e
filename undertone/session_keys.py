"""Sessions made at a server: the tokens that open one, and how a refusal is read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from undertone.errors import Refusal, TransientError

ANSWER_WITHIN_S = 10.0


@dataclass(frozen=True)
class SessionKeys:
    """A session and the tokens that open it."""

    session_id: str
    write_token: str = field(repr=False)
    read_token: str = field(repr=False)


async def create_session(
    url: str, *, title: str | None = None, tags: Sequence[str] = (), language: str | None = None
) -> SessionKeys:
    """A new session at the server at ``url``. Raises ``Refusal``, or ``TransientError`` if nobody answers there."""
    body = {"title": title, "tags": list(tags), "language": language}
    try:
        async with httpx.AsyncClient(base_url=url, timeout=ANSWER_WITHIN_S) as http:
            answer = await http.post("/v1/sessions", json=body)
            given = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise TransientError(
            f"no Undertone answers at {url}: start one with `undertone up`, or name another with --url http://…"
        ) from error
    if answer.status_code != 201:
        raise read_refusal(given, answer.status_code)
    return SessionKeys(given["session_id"], given["write_token"], given["read_token"])


def read_refusal(body: dict[str, Any], status: int) -> Refusal:
    """The refusal in an ``error`` body; ``status`` is what HTTP said."""
    return Refusal(
        str(body.get("code", "refused")),
        str(body.get("message", "the server refused")),
        status=status,
        retryable=bool(body.get("retryable")),
        retry_after_ms=body.get("retry_after_ms"),
    )
