"""What may be named as a recording on the command line: files, pipes, standard input; and what it is called."""

import asyncio
import os
import sys
import threading
from pathlib import Path

import pytest

from tests.recordings import make_recording
from tests.waiting import until
from undertone.commands.sources import STANDARD_INPUT, name_of, open_source, title_of
from undertone.errors import FatalError
from undertone.recording.limits import decode_limits
from undertone.recording.reader import measure_recording

DATA = make_recording("wav", 3)
assert len(DATA) > 500_000, "more than a pipe holds"


async def content(path: Path) -> bytes:
    """The source, read twice."""
    async with open_source(path) as file:
        assert (await measure_recording(file, decode_limits(), 60)).samples == pytest.approx(48_000, abs=100)
        file.seek(0)
        return file.read()


def feed(target: int | Path, data: bytes) -> threading.Thread:
    """Write to a pipe from a thread."""

    def write() -> None:
        into = os.open(target, os.O_WRONLY) if isinstance(target, Path) else target
        with os.fdopen(into, "wb") as pipe:
            pipe.write(data)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


async def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    thread = feed(tmp_path / "pipe", DATA)
    assert await content(tmp_path / "pipe") == DATA
    thread.join()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems name descriptors otherwise")
async def test_process_substitution_is_read() -> None:
    out, into = os.pipe()
    try:
        thread = feed(into, DATA)
        assert await content(Path(f"/dev/fd/{out}")) == DATA
        thread.join()
        assert os.get_blocking(out)
    finally:
        os.close(out)


@pytest.mark.parametrize("is_pipe", [True, False])
async def test_standard_input_is_read(*, is_pipe: bool, tmp_path: Path) -> None:
    kept = os.dup(0)
    thread = None
    if is_pipe:
        source, into = os.pipe()
        thread = feed(into, DATA)
    else:
        (tmp_path / "tone.wav").write_bytes(DATA)
        source = os.open(tmp_path / "tone.wav", os.O_RDONLY)
    try:
        os.dup2(source, 0)
        assert await content(STANDARD_INPUT) == DATA
        assert os.get_blocking(0)
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(source)
        if thread:
            thread.join()


async def test_a_pipe_that_is_silent_can_be_left(tmp_path: Path) -> None:
    out, into = os.pipe()
    try:
        kept = os.dup(0)
        os.dup2(out, 0)
        reading = asyncio.create_task(content(STANDARD_INPUT))
        await until(lambda: not os.get_blocking(0), 10, "it is being read")
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(reading, 10)
    finally:
        os.dup2(kept, 0)
        for descriptor in (kept, out, into):
            os.close(descriptor)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("missing.wav", "cannot be read: No such file"),
        (".", "cannot be read: Is a directory"),
        ("/dev/null", "neither a file nor a pipe"),
        ("/dev/zero", "neither a file nor a pipe"),
    ],
)
async def test_what_is_no_recording_is_told_so(path: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=why):
        async with open_source(tmp_path / path):
            pass


@pytest.mark.parametrize(
    ("name", "title"),
    [
        (b"talk.wav", "talk.wav"),
        (b"caf\xe9.wav", "caf\ufffd.wav"),
        ("회의.wav".encode(), "회의.wav"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"two\nlines\x1b[2J.wav", "two lines\\x1b[2J.wav"),
        (b"interview-" * 24 + b".wav", "interview-" * 19 + "interview…"),
        (b"a" * 200, "a" * 200),
        (b"\xe9" * 250, "\ufffd" * 199 + "…"),
    ],
)
def test_a_title_is_readable_and_fits(name: bytes, title: str) -> None:
    found = title_of(Path("recordings") / os.fsdecode(name))
    assert found == title
    assert len(found) <= 200
    found.encode()


@pytest.mark.parametrize("path", ["-", "/dev/stdin", "/dev/fd/63", "/proc/self/fd/0"])
def test_a_pipe_has_no_title(path: str) -> None:
    assert title_of(Path(path)) is None


def test_a_name_can_be_printed() -> None:
    assert name_of(Path(os.fsdecode(b"/tmp/caf\xe9.wav"))) == "/tmp/caf\ufffd.wav"
    assert name_of(STANDARD_INPUT) == "standard input"
