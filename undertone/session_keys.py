"""Sessions made at a server: the tokens that open one, and how a refusal is read."""

import asyncio
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx

from undertone.audio import LAST_SAMPLE, to_samples
from undertone.errors import Refusal, TransientError
from undertone.http_answers import describe_stranger, is_refusal, read_object
from undertone.normal_form import normalize
from undertone.proxies import open_async_client

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 10.0
Confirm: TypeAlias = Callable[[], Awaitable[None]]
"""Raises ``TransientError`` unless the server that was found first is still the one that answers."""
# Escaped as ASCII, which can be sent whatever it holds; the server says what is wrong with it.
_JSON = {"Content-Type": "application/json"}
# Those who were refused together come back apart: up to so much later than they were told.
LATER = 0.25
NOT_ADMITTED = frozenset(
    {
        *("token_missing", "token_invalid", "token_expired", "token_early", "token_foreign"),
        *("login_needed", "login_ended", "key_unknown", "right_missing"),
    }
)
"""Codes that say who asks may not, and nothing of the session: clocks, secrets and keys may be put right meanwhile."""


@dataclass(frozen=True)
class SessionKeys:
    """A session, the tokens that open it, and the most samples that it may hold."""

    session_id: str
    write_token: str = field(repr=False)
    read_token: str = field(repr=False)
    max_samples: int = LAST_SAMPLE


async def create_session(
    url: str,
    *,
    title: str | None = None,
    tags: Sequence[str] = (),
    language: str | None = None,
    credential: str | None = None,
    patience_s: float = 0.0,
    say: Callable[[str], object] = log.info,
    confirm: Confirm | None = None,
) -> SessionKeys:
    """A new session at the server at ``url``, which may want a ``credential``: an API key or a login.

    Raises ``Refusal``, or ``TransientError`` if nobody answers there, or something that is not Undertone.

    A server that is too busy is asked again when it said, and a little later, for at most ``patience_s``; ``say``
    hears of each wait. ``confirm`` is called before each time but the first.
    """
    wanted = {
        "title": None if title is None else normalize(title),
        "tags": list(map(normalize, tags)),
        "language": language,
    }
    began_s = time.monotonic()
    while True:
        try:
            return await _ask(url, wanted, credential)
        except Refusal as refusal:
            wait_s = (refusal.retry_after_ms or 0) / 1000 * (1 + LATER * random.random())  # noqa: S311 - no secret
            if not refusal.retryable or time.monotonic() + wait_s - began_s > patience_s:
                raise
        say(f"busy, retrying in {wait_s:.0f} s")
        await asyncio.sleep(wait_s)
        if confirm is not None:
            await confirm()


async def _ask(url: str, body: Mapping[str, object], credential: str | None) -> SessionKeys:
    try:
        async with open_async_client(url, timeout=ANSWER_WITHIN_S, headers=credential_headers(credential)) as http:
            answer = await http.post("/v1/sessions", content=json.dumps(body), headers=_JSON)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TransientError(
            f"no Undertone answers at {url}: start one with `undertone up`, or name another with --url http://…"
        ) from error
    given = read_object(answer)
    if given is None or not (is_refusal(given) or answer.status_code == 201):
        raise TransientError(describe_stranger(url, answer))
    if answer.status_code != 201:
        raise read_refusal(given, answer.status_code)
    try:
        session_id, write_token, read_token = (str(given[name]) for name in ("session_id", "write_token", "read_token"))
        return SessionKeys(session_id, write_token, read_token, to_samples(int(given["limits"]["max_session_ms"])))
    except (KeyError, TypeError, ValueError) as error:
        raise TransientError(describe_stranger(url, answer)) from error


def credential_headers(credential: str | None) -> dict[str, str]:
    """The headers that show a credential."""
    return {} if credential is None else {"Authorization": f"Bearer {credential}"}


def read_refusal(body: Mapping[str, Any], status: int) -> Refusal:
    """The refusal in an ``error`` body; ``status`` is what HTTP said."""
    return Refusal(
        str(body.get("code", "refused")),
        str(body.get("message", "the server refused")),
        status=status,
        retryable=bool(body.get("retryable")),
        retry_after_ms=body.get("retry_after_ms"),
    )
