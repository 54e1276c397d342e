"""What viewers see, on the terminal: a session's final utterances as they come, from server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import httpx
from pydantic import ValidationError

from undertone.events import Utterance
from undertone.session_keys import SessionKeys

AGAIN_AFTER_S = 1.0
SILENT_FOR_S = 40.0


async def follow_captions(url: str, keys: SessionKeys, show: Callable[[Utterance], None]) -> None:
    """Call ``show`` once for every final utterance that counts, until cancelled; waits for a server that is away."""
    shown: set[str] = set()
    last_id: str | None = None
    timeout = httpx.Timeout(SILENT_FOR_S)
    async with httpx.AsyncClient(base_url=url, timeout=timeout) as http:
        while True:
            try:
                headers = {"Last-Event-ID": last_id} if last_id else {}
                path = f"/v1/sessions/{keys.session_id}/events"
                async with http.stream("GET", path, params={"token": keys.read_token}, headers=headers) as answer:
                    async for event_id, data in _events(answer):
                        last_id = event_id or last_id
                        for utterance in _utterances(data):
                            if utterance.utterance_id not in shown and utterance.quality.suppressed is None:
                                shown.add(utterance.utterance_id)
                                show(utterance)
            except httpx.HTTPError:
                pass
            await asyncio.sleep(AGAIN_AFTER_S)


async def _events(answer: httpx.Response) -> AsyncIterator[tuple[str | None, object]]:
    """The id and JSON of each event of a stream (WHATWG HTML, server-sent events); other answers have none."""
    if answer.status_code != 200:
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


def _utterances(data: object) -> list[Utterance]:
    """The utterances of an event: of an ``utterance`` itself, or those that a ``snapshot`` holds."""
    if not isinstance(data, dict):
        return []
    given = [data] if data.get("type") == "utterance" else data.get("utterances", [])
    found = []
    for each in given if isinstance(given, list) else []:
        try:
            found.append(Utterance.model_validate(each))
        except ValidationError:
            continue
    return found
