"""Uploads beside others on a real ingest process: none of them stops it, none keeps others out, none ends too early."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from pydantic import SecretStr

from tests.bombs import make_flac, make_wav
from tests.clips import log_of, read_clip, silence
from tests.decoders import decoders_of
from tests.ingest_serving import START, Made, Served, frame, heard, read_log, read_until, serve_ingest, tell
from tests.serving import running_web
from tests.streams import read_events
from tests.transcribing import comparable, ended, finals, publish, transcribing
from tests.waiting import until
from undertone.access.keys import make_key
from undertone.access.rights import Right
from undertone.events import Resume
from undertone.identifiers import make_session_id
from undertone.kafka import open_publisher
from undertone.records import Audio, Close, Gap
from undertone.settings import Settings
from undertone.topics import TRANSCRIPTS

LONG = make_flac(48_000, 1000, channels=8)
"""Silence in eight channels: many seconds of work for a decoder."""
MEGABYTES = 150
SHORT = make_wav(16_000, 1, b"\1\2" * 16_000)
NOISE = np.random.default_rng(1).integers(-500, 500, 90 * 16_000).astype("<i2").tobytes()
NINETY_S = make_wav(16_000, 1, NOISE)
"""More than is taken without a transcriber: its feed waits."""


async def upload(served: Served, made: Made, data: bytes) -> httpx.Response:
    return await served.http.post(
        f"/v1/sessions/{made.session_id}/file", content=data, params={"token": made.write_token}, timeout=60
    )


@asynccontextmanager
async def uploading(served: Served, made: Made, data: bytes) -> AsyncIterator["asyncio.Task[httpx.Response]"]:
    """An upload that goes on for the block; then the client hangs up."""
    async with httpx.AsyncClient(base_url=served.url) as http:
        task = asyncio.create_task(upload(Served(served.url, http), made, data))
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def web(topics: Settings, tmp_path: Path) -> AsyncIterator[tuple[Served, psutil.Process]]:
    """Ingest as a process of its own, as it is served."""
    without_history = topics.model_copy(update={"database": SecretStr("postgresql://nobody@127.0.0.1:9/none")})
    async with (
        running_web("ingest", without_history, tmp_path) as process,
        httpx.AsyncClient(base_url=process.address, timeout=30) as http,
    ):
        yield Served(process.address, http), psutil.Process(process.child.pid)


@pytest.mark.parametrize("bomb", [LONG, make_wav(199_999_991, 1, bytes(20_000))], ids=["long", "200 MHz"])
async def test_a_bomb_stops_nobody_and_takes_no_memory(web: tuple[Served, psutil.Process], bomb: bytes) -> None:
    served, process = web
    made, speaker = await served.make(), await served.make()
    before, most, at = process.memory_info().rss, 0, 0
    async with served.connect(speaker) as socket:
        await socket.send(json.dumps(START))
        await read_until(socket, "ready")
        async with uploading(served, made, bomb) as task:
            if bomb is LONG:
                await until(lambda: decoders_of(process), 20)
            for _ in range(5):
                async with asyncio.timeout(30):
                    assert (await served.http.get("/healthz")).status_code == 200
                    await socket.send(frame(at))
                    at += 1600
                    assert (await read_until(socket, "ack"))["next_sample"] == at
                most = max(most, process.memory_info().rss)
            if bomb is LONG:
                assert not task.done()
            else:
                assert (await task).json()["code"] == "sample_rate_unsupported"
        assert most - before < MEGABYTES * 1_000_000
    await until(lambda: not decoders_of(process), 10, "no decoder is left, not even a zombie")


async def test_a_decoder_that_is_killed_ends_nothing_and_the_file_is_sent_again(
    web: tuple[Served, psutil.Process], topics: Settings
) -> None:
    served, process = web
    made = await served.make()
    async with uploading(served, made, LONG) as task:
        (decoder,) = await until(lambda: decoders_of(process), 20)
        decoder.kill()
        answer = await task
    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (503, "decoder_stopped", True)
    async with uploading(served, made, NINETY_S) as task:
        await until(lambda: _waits(topics, made), 60)
        (decoder,) = await until(lambda: decoders_of(process), 20)
        decoder.kill()
        async with open_publisher(topics) as transcriber:  # there is room, and nothing comes any more
            await tell(transcriber, made.session_id, through=59 * 16_000, resume=Resume(offset=1, connection="file-1"))
        answer = await task
    assert (answer.status_code, answer.json()["code"]) == (503, "decoder_stopped")
    assert not await _log_of(topics, made, Close)
    async with open_publisher(topics) as transcriber:
        await tell(transcriber, made.session_id, through=60 * 16_000, resume=Resume(offset=1, connection="file-1"))
    assert (await upload(served, made, NINETY_S)).json()["samples"] == 90 * 16_000
    log = await read_log(topics, made.session_id)
    assert isinstance(log[-1], Close)
    assert log[-1].at == 90 * 16_000
    assert heard(log)[0] == NOISE
    assert decoders_of(process) == []


async def test_feeding_ends_with_the_client_and_the_file_is_taken_when_it_comes_again(
    web: tuple[Served, psutil.Process], topics: Settings
) -> None:
    served, process = web
    made = await served.make()
    async with uploading(served, made, NINETY_S):
        await until(lambda: _waits(topics, made), 60)
        assert decoders_of(process)
    await until(lambda: not decoders_of(process), 10, "the feed has ended")
    assert not await _log_of(topics, made, Close)
    before = len(await read_log(topics, made.session_id))
    async with open_publisher(topics) as transcriber:
        await tell(transcriber, made.session_id, through=59 * 16_000, resume=Resume(offset=1, connection="file-1"))
    assert (await upload(served, made, NINETY_S)).status_code == 200
    log = await read_log(topics, made.session_id)
    assert heard(log)[0] == NOISE
    assert len(log) - before < 90  # what is settled is not written again


async def _waits(topics: Settings, made: Made) -> bool:
    """Whether so much of the file is in the log as is taken without a transcriber."""
    return len(await _log_of(topics, made, Audio)) >= 59


async def _log_of(topics: Settings, made: Made, kind: type) -> list[object]:
    return [record for record in await read_log(topics, made.session_id) if isinstance(record, kind)]


@asynccontextmanager
async def slow_uploads(served: Served, sessions: list[Made], address: str) -> AsyncIterator[None]:
    """Uploads whose bodies have begun and do not go on."""
    writers = []
    try:
        for made in sessions:
            port = served.http.base_url.port
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
            writers.append(writer)
            path = f"/v1/sessions/{made.session_id}/file?token={made.write_token}"
            head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
            writer.write(head.encode())
            # The server asks for the body when it begins to read it: this upload has a place, or waits for one.
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
            writer.write(bytes(4200))
        yield
    finally:
        for writer in writers:
            writer.close()


@asynccontextmanager
async def serve_two(topics: Settings, by: str) -> AsyncIterator[tuple[Served, Served, str]]:
    """The server for an attacker and for somebody else, told apart by key or address, and the attacker's address."""
    if by == "address":
        async with serve_ingest(topics) as served:
            transport = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
            async with httpx.AsyncClient(base_url=served.url, transport=transport, timeout=60) as http:
                yield served, Served(served.url, http), "127.0.0.1"
        return
    closed = topics.model_copy(update={"access": "closed"})
    keys = [make_key(closed.keys_file(), name, [Right.RECORD]) for name in ("eve", "ana")]
    async with serve_ingest(closed) as served:
        headers = [{"Authorization": f"Bearer {key}"} for key in keys]
        async with (
            httpx.AsyncClient(base_url=served.url, headers=headers[0], timeout=60) as eve,
            httpx.AsyncClient(base_url=served.url, headers=headers[1], timeout=60) as ana,
        ):
            yield Served(served.url, eve), Served(served.url, ana), "127.0.0.1"


@pytest.mark.parametrize("by", ["key", "address"])
async def test_slow_uploads_of_one_keep_nobody_else_out(topics: Settings, by: str) -> None:
    async with serve_two(topics, by) as (eve, ana, address):
        sessions = [await eve.make() for _ in range(9)]
        async with slow_uploads(eve, sessions, address):
            assert (await upload(ana, await ana.make(), SHORT)).status_code == 200


@pytest.mark.parametrize("by", ["key", "address"])
async def test_long_files_of_one_keep_nobody_else_out(topics: Settings, by: str) -> None:
    async with serve_two(topics, by) as (eve, ana, _):
        sessions = [await eve.make() for _ in range(3)]
        async with uploading(eve, sessions[0], NINETY_S), uploading(eve, sessions[1], NINETY_S):
            for made in sessions[:2]:
                await until(lambda made=made: _waits(topics, made), 60)  # type: ignore[misc]
            async with uploading(eve, sessions[2], SHORT) as third:
                assert (await upload(ana, await ana.make(), SHORT)).status_code == 200
                assert not third.done()  # its turn comes behind the others of the same caller


async def test_hours_of_silence_are_taken_at_once_and_as_a_gap(topics: Settings) -> None:
    flac = make_flac(16_000, 3 * 3600 * 16_000 // 16_000, block=16_000)
    samples = 3 * 3600 * 16_000
    async with serve_ingest(topics) as served:
        made = await served.make()
        async with uploading(served, made, flac) as task, open_publisher(topics) as transcriber:
            gaps = await until(lambda: _log_of(topics, made, Gap), 30)
            (gap,) = gaps
            assert isinstance(gap, Gap)
            resume = Resume(offset=1, connection="file-1")
            await tell(transcriber, made.session_id, state="live", through=gap.to, resume=resume)
            assert (await task).json()["samples"] == samples
    log = await read_log(topics, made.session_id)
    assert sum(len(record.pcm) // 2 for record in log if isinstance(record, Audio)) < 40 * 16_000
    assert heard(log)[1] == [(gap.at, gap.to)]
    assert isinstance(log[-1], Close)
    assert log[-1].at == samples


async def test_what_is_said_around_silence_is_the_same_as_when_all_of_it_is_heard(topics: Settings) -> None:
    pcm = read_clip("jfk.flac") + silence(70_003) + read_clip("korean.flac") + silence(3000)
    whole = make_session_id(1_790_000_000_000, 1)
    async with transcribing(topics), serve_ingest(topics) as served:
        made = await served.make()
        await publish(topics, log_of(whole, pcm))
        assert (await upload(served, made, make_wav(16_000, 1, pcm))).status_code == 200
        await ended(topics, whole, made.session_id)
    assert await _log_of(topics, made, Gap)
    events = await read_events(topics, TRANSCRIPTS)
    skipped, heard_whole = (
        [{name: value for name, value in said.items() if name != "seq"} for said in comparable(finals(events, session))]
        for session in (made.session_id, whole)
    )
    assert len(skipped) >= 2
    assert skipped == heard_whole
