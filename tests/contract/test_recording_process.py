"""The decoder process: the verdicts of the decoder, bounds that hold, and an end in every case that leaves nothing."""

import asyncio
import io
import os
import signal
import struct
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bombs import BOMBS, make_flac, make_wav
from tests.decoders import decoders_of
from tests.recordings import CODECS, make_recording
from tests.waiting import until
from undertone.audio import LAST_SAMPLE
from undertone.errors import Refusal
from undertone.recording import messages
from undertone.recording.decoder import decode
from undertone.recording.limits import decode_limits
from undertone.recording.messages import HEADER, Failed, Message, Progress
from undertone.recording.reader import measure_recording, read_recording, read_sound
from undertone.recording.report import Note, Report
from undertone.recording.silence import Silence

LIMITS = decode_limits(24 * 3600 * 16_000)
BLOCK = 16_000
WITHIN_S = 60.0
LONG = make_flac(48_000, 2000, channels=8)
"""Silence in eight channels: half a minute of work and more."""


@contextmanager
def file_of(data: bytes) -> Iterator[BinaryIO]:
    with TemporaryFile() as file:
        file.write(data)
        yield cast("BinaryIO", file)


def in_this_process(data: bytes) -> bytes | str:
    try:
        return b"".join(decode(io.BytesIO(data), LIMITS))
    except Refusal as refusal:
        return refusal.code


async def in_another(data: bytes) -> bytes | str:
    with file_of(data) as file:
        try:
            samples = (await measure_recording(file, LIMITS, WITHIN_S)).samples
            async with aclosing(read_recording(file, LIMITS, BLOCK)) as blocks:
                pcm = b"".join([block async for block in blocks])
        except Refusal as refusal:
            return f"{refusal.code}, to be tried again" if refusal.retryable else refusal.code
    assert samples == len(pcm) // 2
    return pcm


def decoders() -> list[psutil.Process]:
    """The decoder processes of this one, zombies included."""
    return decoders_of(psutil.Process())


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    descriptors = psutil.Process().num_fds()
    yield
    assert decoders() == []
    await until(lambda: psutil.Process().num_fds() <= descriptors + 1, 5)  # the child watcher of the loop may keep one


@pytest.mark.parametrize("kind", CODECS)
async def test_it_decodes_as_the_decoder_does(kind: str) -> None:
    data = make_recording(kind, 2.5)
    assert await in_another(data) == in_this_process(data)


@pytest.mark.parametrize("name", [name for name in BOMBS if name != "eight channels of silence"])
async def test_its_verdicts_are_those_of_the_decoder(name: str) -> None:
    assert await in_another(BOMBS[name]) == in_this_process(BOMBS[name])


async def test_a_file_cut_off_is_taken_and_reported() -> None:
    data = make_recording("flac", 6, "mono")
    with file_of(data[: len(data) // 2]) as file:
        report = await measure_recording(file, LIMITS, WITHIN_S)
    assert 2 * 16_000 < report.samples < 4 * 16_000
    assert [note.code for note in report.notes] == ["file_truncated"]
    assert report.peak_dbfs == pytest.approx(-6, abs=0.5)


async def test_silence_comes_as_silence_where_it_is_asked_for() -> None:
    sound = make_wav(16_000, 1, (b"\1\2" * 16_000) + bytes(2 * 1_000_000) + (b"\1\2" * 16_000))
    with file_of(sound) as file:
        async with aclosing(read_sound(file, LIMITS, BLOCK)) as found:
            parts = [part async for part in found]
    assert sum(part.samples if isinstance(part, Silence) else len(part) // 2 for part in parts) == 1_032_000
    assert [part.samples for part in parts if isinstance(part, Silence)] == [2 * 153_600]


async def test_a_file_that_needs_more_memory_is_refused() -> None:
    flac = make_recording("flac", 1)
    picture = struct.pack(">I", 3) + struct.pack(">I", 9) + b"image/png" + bytes(20) + struct.pack(">I", 16_000_000)
    body = picture + bytes(16_000_000)
    data = flac[:42] + b"\x06" + len(body).to_bytes(3, "big") + body + flac[42:]
    with file_of(data) as file:
        assert (await measure_recording(file, LIMITS, WITHIN_S)).samples == 16_000
        with pytest.raises(Refusal) as caught:
            await measure_recording(file, replace(LIMITS, memory_bytes=8_000_000), WITHIN_S)
    assert (caught.value.code, caught.value.retryable) == ("file_too_complex", False)


async def test_what_takes_too_long_says_nothing_about_the_file() -> None:
    with file_of(LONG) as file:
        for limits, within_s in ((replace(LIMITS, cpu_s=1), WITHIN_S), (LIMITS, 0.5)):
            with pytest.raises(Refusal) as caught:
                await measure_recording(file, limits, within_s)
            assert (caught.value.code, caught.value.retryable) == ("decoder_stopped", True)


@pytest.mark.parametrize(
    ("ended_by", "expected"),
    [(signal.SIGKILL, ("decoder_stopped", True)), (signal.SIGSEGV, ("file_damaged", False))],
)
async def test_a_process_that_dies_is_told(ended_by: signal.Signals, expected: tuple[str, bool]) -> None:
    with file_of(LONG) as file:
        measuring = asyncio.create_task(measure_recording(file, LIMITS, WITHIN_S))
        (process,) = await until(decoders, 10)
        process.send_signal(ended_by)
        with pytest.raises(Refusal) as caught:
            await measuring
    assert (caught.value.code, caught.value.retryable) == expected


async def test_a_reader_that_waits_makes_the_decoder_wait() -> None:
    with file_of(LONG) as file:
        async with aclosing(read_recording(file, LIMITS, BLOCK)) as blocks:
            await anext(blocks)
            (process,) = decoders()

            def written() -> int:
                return process.io_counters().write_chars

            await until(lambda: process.status() == psutil.STATUS_SLEEPING, 10)
            before = written()
            for _ in range(50):
                await anext(blocks)
            await until(lambda: process.status() == psutil.STATUS_SLEEPING, 10)
            assert written() - before <= 52 * (2 * BLOCK + HEADER.size) + 400_000
            assert written() < 3_000_000


async def test_a_reader_that_leaves_ends_the_decoder() -> None:
    with file_of(LONG) as file:
        measuring = asyncio.create_task(measure_recording(file, LIMITS, WITHIN_S))
        await until(decoders, 10)
        measuring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await measuring
        assert decoders() == []
        async with aclosing(read_recording(file, LIMITS, BLOCK)) as blocks:
            await anext(blocks)
        assert decoders() == []


PARENT = """
import asyncio, sys
from undertone.recording.limits import decode_limits
from undertone.recording.reader import measure_recording, read_recording

async def main():
    with open(sys.argv[1], "rb") as file:
        blocks = read_recording(file, decode_limits(), 16_000)
        await anext(blocks)
        print("reading", flush=True)
        await measure_recording(file, decode_limits(), 100)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="finds the orphans by their session")
async def test_a_parent_that_is_killed_leaves_no_decoder(tmp_path: Path) -> None:
    (tmp_path / "long.flac").write_bytes(LONG)
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path / "long.flac"), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    assert await parent.stdout.readline() == b"reading\n"
    await until(lambda: len(decoders()) == 2, 10)
    children = decoders()
    parent.kill()
    await parent.wait()
    await until(
        lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children), 20
    )


async def test_no_secret_is_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERTONE_SECRET", "x" * 32)
    with file_of(LONG) as file:
        async with aclosing(read_recording(file, LIMITS, BLOCK)) as blocks:
            await anext(blocks)
            (process,) = decoders()
            assert not any(name.startswith("UNDERTONE_") for name in process.environ())
            assert os.getpgid(process.pid) != os.getpgid(0)


MESSAGES = st.one_of(
    st.binary(min_size=1, max_size=1000).map(lambda half: half + half),
    st.integers(0, LAST_SAMPLE).flatmap(lambda n: st.sampled_from([Silence(n), Progress(n)])),
    st.builds(
        Report,
        st.integers(0, LAST_SAMPLE),
        st.integers(0, 32_768),
        st.lists(st.builds(Note, st.text(max_size=20), st.text(max_size=100))).map(tuple),
    ),
    st.text(max_size=100).map(Failed),
)


@given(MESSAGES)
def test_a_message_is_read_as_it_was_sent(message: Message) -> None:
    sent = messages.encode(message)
    kind, length = messages.parse_header(sent[: HEADER.size])
    assert length == len(sent) - HEADER.size
    assert messages.decode(kind, sent[HEADER.size :]) == message


def test_a_refusal_is_read_as_it_was_sent() -> None:
    sent = messages.encode(Refusal("file_empty", "the file is empty", status=422))
    kind, _ = messages.parse_header(sent[: HEADER.size])
    refusal = messages.decode(kind, sent[HEADER.size :])
    assert isinstance(refusal, Refusal)
    assert refusal.body() == Refusal("file_empty", "the file is empty", status=422).body()


@given(
    st.sampled_from([b"P", b"S", b"N", b"E", b"F", b"R", b"x"]),
    st.one_of(
        st.binary(max_size=50),
        st.sampled_from([b"{}", b"[]", b'{"code":"x","message":"y","status":200}', b"\xff" * 8, b"1" * 5000]),
    ),
)
def test_whatever_a_decoder_says_is_a_message_or_an_error(kind: bytes, body: bytes) -> None:
    try:
        message = messages.decode(kind, body)
    except ValueError:
        return
    assert not isinstance(message, Silence | Report) or message.samples <= LAST_SAMPLE
    assert not isinstance(message, Refusal) or 400 <= message.status < 500


def test_a_message_too_long_to_keep_is_an_error() -> None:
    with pytest.raises(ValueError, match="bytes"):
        messages.parse_header(HEADER.pack(b"P", 2**32 - 1))
