"""Children of `up`: their logs, their end, and that they do not outlive us."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.waiting import until
from undertone.local import child as child_module
from undertone.local import launch
from undertone.local.child import Child, Command, rotate

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"

BEFORE = {"death_signal": int(signal.SIGKILL), "umask": 0o077, "user": None, "enter_folders": False}


def command(tmp_path: Path, code: str, **given: object) -> Command:
    return Command("part", [sys.executable, "-c", code], tmp_path / "part.log", **given)  # type: ignore[arg-type]


async def test_its_last_line_is_that_of_this_start(tmp_path: Path) -> None:
    for word in ("first", "second"):
        child = Child(command(tmp_path, f"print('{word}\\n')"))
        assert await child.wait() == 0
        assert child.last_line() == word
    silent = Child(command(tmp_path, "pass"))
    assert await silent.wait() == 0
    assert silent.last_line() == ""
    assert (tmp_path / "part.log").read_text().split() == ["first", "second"]


async def test_one_that_ignores_the_signal_is_killed_with_what_it_started(tmp_path: Path) -> None:
    grandchild = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {STUBBORN}"
    child = Child(command(tmp_path, grandchild))
    await until(lambda: (tmp_path / "part.log").read_text().count("up") == 2, 10, "both are up")
    family = [psutil.Process(child.pid), *psutil.Process(child.pid).children()]
    assert len(family) == 2
    await child.stop(grace_s=0.2)
    assert child.status == -signal.SIGKILL
    await until(lambda: not any(process.is_running() for process in family), 5, "none is left")


async def test_one_that_heeds_the_signal_ends_by_it(tmp_path: Path) -> None:
    child = Child(command(tmp_path, "import time; print('up', flush=True); time.sleep(60)"))
    await until(lambda: child.last_line() == "up", 10)
    await child.stop(grace_s=10)
    assert child.status == -signal.SIGTERM


def test_a_program_that_is_not_there_says_so(tmp_path: Path) -> None:
    child = Child(Command("part", [str(tmp_path / "none")], tmp_path / "part.log"))
    child._process.wait()
    assert child.status == 1
    assert "cannot be started" in child.last_line()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
async def test_it_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent_code = f"""
import json, os, subprocess, sys, time
before = {{**{BEFORE!r}, "parent": os.getpid()}}
command = [sys.executable, {launch.__file__!r}, json.dumps(before), sys.executable, "-c", {STUBBORN!r}]
print(subprocess.Popen(command).pid, flush=True)
time.sleep(60)
"""
    log = tmp_path / "part.log"
    parent = Child(command(tmp_path, parent_code))
    await until(lambda: "up" in log.read_text(), 10)
    orphan = psutil.Process(int(next(line for line in log.read_text().splitlines() if line.isdigit())))
    os.kill(parent.pid, signal.SIGKILL)
    await until(lambda: not orphan.is_running(), 5, "the orphan is gone")
    parent.kill()


def test_the_launcher_ends_at_once_if_its_parent_is_gone_already(tmp_path: Path) -> None:
    before = {**BEFORE, "parent": 1 << 30}
    arguments = [sys.executable, launch.__file__, json.dumps(before), sys.executable, "-c", "print('ran')"]
    child = Child(Command("part", arguments, tmp_path / "part.log"))
    child._process.wait()
    assert child.last_line() == ""


def test_a_long_log_is_moved_aside_and_a_short_one_is_not(tmp_path: Path) -> None:
    log, moved = tmp_path / "part.log", tmp_path / "part.log.1"
    rotate(log, limit_bytes=1000)
    log.write_text("short\n")
    rotate(log, limit_bytes=1000)
    assert (log.read_text(), moved.exists()) == ("short\n", False)
    for word in ("first", "second"):
        log.write_text(f"{word}\n" * 1000)
        rotate(log, limit_bytes=1000)
        assert (log.read_text(), moved.read_text()) == ("", f"{word}\n" * 1000)


async def test_its_last_words_are_known_though_the_log_has_just_been_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "LOG_LIMIT_BYTES", 0)
    monkeypatch.setattr(child_module, "LOOK_AT_LOG_S", 0.0)
    child = Child(command(tmp_path, "import time; print('last words', flush=True); time.sleep(60)"))
    waiting = asyncio.create_task(child.wait())
    try:
        await until((tmp_path / "part.log.1").exists, 20)
        assert child.last_line() == "last words"
    finally:
        await child.stop(0)
    await waiting


async def test_the_log_of_a_child_that_runs_stays_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "LOG_LIMIT_BYTES", 10_000)
    monkeypatch.setattr(child_module, "LOOK_AT_LOG_S", 0.0)
    log, moved, enough = (tmp_path / name for name in ("part.log", "part.log.1", "enough"))
    flood = f"""
import itertools, pathlib
for n in itertools.count():
    print(f"line {{n}}" + 90 * ".", flush=True)
    if pathlib.Path({str(enough)!r}).exists():
        print("the end", flush=True)
        break
"""
    child = Child(command(tmp_path, flood))
    waiting = asyncio.create_task(child.wait())
    try:
        await until(moved.exists, 20)
        first = moved.read_bytes()
        await until(lambda: moved.read_bytes() != first, 20, "it is moved aside again")
        assert child.last_line()
        # A line that is written at the moment of a move is lost: none is moved any more.
        monkeypatch.setattr(child_module, "LOG_LIMIT_BYTES", 1_000_000_000)
        enough.touch()
        assert await waiting == 0
    finally:
        await child.stop(0)
    assert child.last_line() == "the end"
    assert log.read_bytes()
