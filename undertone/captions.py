"""What viewers see, on the terminal: a session's final utterances and statistics, from server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

from undertone.errors import TransientError
from undertone.events import Utterance, Window
from undertone.http_answers import is_of_type
from undertone.proxies import open_async_client
from undertone.session_keys import Confirm, SessionKeys

AGAIN_AFTER_S = 1.0
SILENT_FOR_S = 40.0


async def follow_captions(
    url: str,
    keys: SessionKeys,
    show: Callable[[Utterance], None],
    count: Callable[[Window], None],
    confirm: Confirm | None = None,
) -> None:
    """Follow a session until cancelled; waits for a server that is away.

    Calls ``show`` once for every final utterance that counts, and ``count`` for every new state of the whole session's
    statistics. ``confirm`` is called before each connection.
    """
    shown: set[str] = set()
    last_id: str | None = None
    timeout = httpx.Timeout(SILENT_FOR_S)
    async with open_async_client(url, timeout=timeout) as http:
        while True:
            try:
                if confirm is not None:
                    await confirm()
                headers = {"Last-Event-ID": last_id} if last_id else {}
                path = f"/v1/sessions/{keys.session_id}/events"
                async with http.stream("GET", path, params={"token": keys.read_token}, headers=headers) as answer:
                    async for event_id, data in read_stream(answer):
                        last_id = event_id or last_id
                        for event in _events_in(data):
                            if isinstance(event, Window):
                                count(event)
                            elif event.utterance_id not in shown:
                                shown.add(event.utterance_id)
                                show(event)
            except (httpx.HTTPError, TransientError):
                pass
            await asyncio.sleep(AGAIN_AFTER_S)


async def read_stream(answer: httpx.Response) -> AsyncIterator[tuple[str | None, dict[str, Any]]]:
    """The id and JSON of each event of a stream (WHATWG HTML, server-sent events); other answers have none."""
    if answer.status_code != 200 or not is_of_type(answer, "text/event-stream"):
        return
    event_id: str | None = None
    data: list[str] = []
    async for line in answer.aiter_lines():
        name, _, value = line.partition(":")
        match name:
            case "id":
                event_id = value.strip()
            case "data":
                data.append(value.removeprefix(" "))
            case "" if not line and data:
                yield event_id, json.loads("\n".join(data))
                event_id, data = None, []


def _events_in(data: dict[str, Any]) -> list[Utterance | Window]:
    """The utterances that count and whole-session windows that an event is, or that a ``snapshot`` holds."""
    match data["type"]:
        case "snapshot":
            return [event for held in (*data["utterances"], *data["windows"]) for event in _events_in(held)]
        case "utterance":
            utterance = Utterance.model_validate(data)
            return [utterance] if utterance.quality.suppressed is None else []
        case "window" if data["size_ms"] == 0:
            return [Window.model_validate(data)]
    return []
