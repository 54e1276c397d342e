"""Sessions are deleted while every part is killed on the way: nothing of them comes back, and nobody else notices."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from pydantic import SecretStr

from tests.clips import read_clip, silence
from tests.fault.account import Account, Figures, read_account
from tests.fault.mischief import Mischief
from tests.fault.platform import Platform, open_platform
from tests.fault.runs import have_ended
from tests.fault.script import FRAME_SAMPLES, Script
from tests.fault.script import Part as Spoken
from tests.fault.servers import open_servers
from tests.fault.strikes import LINGER_S
from tests.forgetting import assert_nothing_is_left, assert_nothing_is_shown, rows
from tests.serving import WebProcess, running_web
from tests.viewing import watching
from tests.waiting import until
from undertone.recorder import Recorder
from undertone.session_keys import SessionKeys, create_session
from undertone.settings import Settings

# One session is deleted in each of these rounds, and these parts die there: SIGKILL, where they stand.
ROUNDS = (
    (
        "ingest before deletions",
        "transcriber before sessions",
        "statistics before statistics",
        "archivist before utterances",
    ),
    ("ingest after deletions", "transcriber after sessions", "statistics after statistics", "archivist after windows"),
    ("transcriber before commit", "classifier before commit", "statistics before commit", "archivist before forget"),
    ("archivist within forget",),
    ("archivist after forget",),
    ("archivist before commit",),
)
SAID = "comparatively"
SECRET = read_clip("LJ001-0002.flac")
OTHER = Spoken("the other", read_clip("jfk.flac") + silence(1500) + read_clip("jfk.flac") + silence(1500), -1, 0)


async def say(recorder: Recorder, pcm: bytes) -> None:
    for start in range(0, len(pcm), 2 * FRAME_SAMPLES):
        await recorder.write(pcm[start : start + 2 * FRAME_SAMPLES])


@asynccontextmanager
async def recording(settings: Settings, title: str) -> AsyncIterator[Recorder]:
    address = f"http://127.0.0.1:{settings.port}"
    recorder = Recorder(address, await create_session(address, title=title))
    try:
        yield recorder
    finally:
        await recorder.close()


async def is_deleted(settings: Settings, keys: SessionKeys) -> bool:
    """Ask for it, as often as it takes: ingest may die over it, before or after it has done it."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}", timeout=20) as client:
        try:
            answer = await client.delete(f"/v1/sessions/{keys.session_id}", params={"token": keys.write_token})
        except httpx.TransportError:
            return False
    return answer.is_success


async def account(settings: Settings, recorder: Recorder) -> Account:
    finished = await recorder.stop()
    name = recorder.keys.session_id
    await until(lambda: have_ended(settings.database_url(), [name]), 60)
    return await read_account(settings, name, Script(0, (OTHER,)), finished)


async def delete_and_kill(
    platform: Platform, settings: Settings, dashboards: WebProcess, points: Sequence[str]
) -> tuple[SessionKeys, str]:
    """A session that is deleted in mid-speech while parts die at these points, and where a viewer of it was."""
    parts = dict(point.split(maxsplit=1) for point in points)
    async with recording(settings, "secret") as recorder:
        keys = recorder.keys
        await say(recorder, SECRET + silence(1500) + SECRET)
        await until(lambda: rows(settings, keys.session_id)["windows"] >= 2, 60, "it is in the history")
        async with watching(
            dashboards.address, f"/v1/sessions/{keys.session_id}/events", token=keys.read_token
        ) as stream:
            assert SAID in str(await stream.until("snapshot"))
            for part, where in parts.items():
                # A while later: so that what was settled too early is committed, and missed.
                platform.arm(part, Mischief(where, "die", linger_s=0 if where.endswith("commit") else LINGER_S))
            await until(lambda: is_deleted(settings, keys), 60)
            dashboards.child.kill()
            await until(lambda: not any(map(platform.is_armed, parts)), 30, f"they die: {points}")
            return keys, stream.last_id


async def test_whatever_dies_on_the_way_nothing_comes_back_and_the_others_are_heard(tmp_path: Path) -> None:
    async with open_servers(tmp_path) as servers, open_platform(servers, "deletions", tmp_path / "run") as platform:
        straight = SecretStr(servers.database("deletions"))  # the wires are of this loop, and some questions stop it
        settings = platform.settings.model_copy(update={"database": straight})
        async with recording(settings, OTHER.title) as undisturbed:
            await say(undisturbed, OTHER.pcm)
            twin = await account(settings, undisturbed)
        deleted = list[tuple[SessionKeys, str]]()
        async with (
            running_web("dashboards", settings, tmp_path / "web") as dashboards,
            recording(settings, OTHER.title) as one,
        ):
            step = -(-len(OTHER.pcm) // len(ROUNDS) // 2) * 2
            for number, points in enumerate(ROUNDS):
                deleted.append(await delete_and_kill(platform, settings, dashboards, points))
                await say(one, OTHER.pcm[number * step : (number + 1) * step])
                await asyncio.gather(platform.ready(), dashboards.start())
            figures = Figures()
            figures.compare(twin, await account(settings, one))
            for keys, cut in deleted:
                await until(lambda keys=keys: _is_gone(settings, keys), 60)  # type: ignore[misc]
                await assert_nothing_is_shown(dashboards.address, keys.session_id, keys.read_token, cut)
        assert figures.is_clean, figures.complaints
        assert figures.utterances >= 2


async def _is_gone(settings: Settings, keys: SessionKeys) -> bool:
    await assert_nothing_is_left(settings, keys.session_id, SAID)
    return True
