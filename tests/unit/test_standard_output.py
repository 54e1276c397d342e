"""Standard output that cannot take what a command prints: a reader that is gone, a full disk, a poor encoding."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from undertone.commands.standard_output import READER_GONE, guarded

PRINTING = [("models", "list"), ("--help",), ("--version",), ("keys", "make", "a", "--right", "read")]
UNDERTONE = [sys.executable, "-m", "undertone.cli"]


def run(
    folder: Path, *words: str, stdout: int = subprocess.PIPE, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command that prints without a server."""
    environment = (
        os.environ | {"UNDERTONE_HOME": str(folder / "home"), "UNDERTONE_CACHE": str(folder)} | dict(variables or {})
    )
    return subprocess.run(
        [*UNDERTONE, *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.fixture
def broken_pipe() -> int:
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("words", PRINTING)
def test_a_reader_that_is_gone_ends_a_command_in_silence(
    tmp_path: Path, broken_pipe: int, words: tuple[str, ...]
) -> None:
    ended = run(tmp_path, *words, stdout=broken_pipe)
    os.close(broken_pipe)
    assert (ended.returncode, ended.stderr) == (READER_GONE, "")


@pytest.mark.parametrize("words", PRINTING)
def test_a_full_disk_is_one_line_and_status_1(tmp_path: Path, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = run(tmp_path, *words, stdout=full.fileno())
    assert (ended.returncode, ended.stderr) == (
        1,
        "error: standard output cannot be written: No space left on device\n",
    )


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "\\uc548\\ub155"),
        ({"PYTHONIOENCODING": "iso-8859-1"}, "\\uc548\\ub155"),
        ({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, "\\u"),
        ({"LC_ALL": "C"}, "안녕"),
        ({"PYTHONIOENCODING": "utf-8"}, "안녕"),
    ],
)
def test_letters_that_the_encoding_lacks_are_escapes(tmp_path: Path, variables: dict[str, str], shown: str) -> None:
    ended = run(tmp_path, "doctor", "--home", str(tmp_path / "안녕"), "--port", "0", variables=variables)
    assert "Traceback" not in ended.stderr
    assert shown in ended.stdout


def test_what_is_buffered_comes_out_whole_and_in_order() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="ascii") as stream:
        output = guarded(stream)
        output.write("caf\xe9 ")
        output.flush()
        output.buffer.write("안녕".encode())
        output.flush()
    with os.fdopen(reading, "rb") as file:
        assert file.read() == b"caf\\xe9 " + "안녕".encode()
    assert isinstance(output, io.TextIOWrapper)
