"""The whole platform as an engine: a clip goes in as a session, its utterances come back over REST."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from benchmarks.clips import Clip, Heard, to_pcm
from undertone.audio import to_samples
from undertone.commands.credentials import find_server
from undertone.recorder import Recorder
from undertone.session_keys import SessionKeys, create_session

FRAME_BYTES = 2 * to_samples(100)
STORED_WITHIN_S = 30.0


def platform_engine(url: str, *, detect: bool) -> Callable[[Clip], Heard]:
    """What a running ``undertone up`` at ``url`` makes of clips, each a session of its own, as fast as it takes them.

    ``detect`` leaves the language of every clip to be detected, as for a recorder that does not say it.
    """

    def hear(clip: Clip) -> Heard:
        return asyncio.run(_hear(url, clip, None if detect else clip.language))

    return hear


async def _hear(url: str, clip: Clip, language: str | None) -> Heard:
    pcm = to_pcm(clip.samples)
    title = f"benchmark {clip.group}"
    credential = (await asyncio.to_thread(find_server, url)).credential
    keys = await create_session(url, title=title, language=language, credential=credential)
    recorder = Recorder(url, keys, language=language)
    for start in range(0, len(pcm), FRAME_BYTES):
        await recorder.write(pcm[start : start + FRAME_BYTES])
    finished = await recorder.stop()
    utterances = await read_utterances(url, keys, finished.utterances)
    counted = [item["text"] for item in utterances if item["quality"]["suppressed"] is None]
    return Heard(
        text=" ".join(item["text"] for item in utterances),
        counted=" ".join(counted),
        utterances=len(utterances),
        suppressed=len(utterances) - len(counted),
    )


async def read_utterances(
    url: str, keys: SessionKeys, count: int, within_s: float = STORED_WITHIN_S
) -> list[dict[str, Any]]:
    """The stored utterances of a session that has ended, once all that count are stored. Raises ``TimeoutError``."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as http, asyncio.timeout(within_s):
        while True:
            asked = {"limit": "500", "token": keys.read_token}
            answer = await http.get(f"/v1/sessions/{keys.session_id}/utterances", params=asked)
            found: list[dict[str, Any]] = answer.raise_for_status().json()["utterances"]
            if sum(item["quality"]["suppressed"] is None for item in found) >= count:
                return found
            await asyncio.sleep(0.05)
