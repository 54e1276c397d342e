"""A child process of ours: started with its log in a file, stopped within a bound, gone when we are gone."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from undertone.local import launch

POLL_S = 0.02
LOG_LIMIT_BYTES = 5_000_000
LOOK_AT_LOG_S = 1.0
TAIL_BYTES = 4096
PRIVATE_UMASK = 0o077
_ERROR = re.compile(r"\b(FATAL|PANIC|ERROR|error): ")


@dataclass(frozen=True)
class Command:
    """How to start a child. ``environment`` None is ours, ``folder`` None the one that we run in.

    The others are explained at ``launch.Launch``. Only their owner can read the files that a child creates.
    """

    name: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    folder: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    user: tuple[int, int] | None = None
    enter_folders: bool = False


class Child:
    """A running (or ended) child. It leads a process group of its own, so that Ctrl-C reaches us alone."""

    def __init__(self, command: Command) -> None:
        """Start it. The log is appended to, and moved aside where it has grown too long."""
        self.command = command
        rotate(command.log, LOG_LIMIT_BYTES)
        self._was_moved = False  # since this start
        before: launch.Launch = {
            "parent": os.getpid(),
            "death_signal": command.death_signal,
            "umask": PRIVATE_UMASK,
            "user": command.user,
            "enter_folders": command.enter_folders,
        }
        wrapped = [sys.executable, "-I", "-S", launch.__file__, json.dumps(before), *command.arguments]
        with open(command.log, "ab", opener=_open_private) as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                wrapped,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=command.environment,
                cwd=command.folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The id of the process, and of its group."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """None while it runs, else the exit status (negative: the signal that ended it)."""
        return self._process.poll()

    async def wait(self) -> int:
        """The exit status, once it has ended. Until then its log is kept within bounds."""
        look_s = 0.0
        while (status := self.status) is None:
            if (now_s := time.monotonic()) >= look_s:
                self._was_moved |= rotate(self.command.log, LOG_LIMIT_BYTES)
                look_s = now_s + LOOK_AT_LOG_S
            await asyncio.sleep(POLL_S)
        return status

    async def stop(self, grace_s: float) -> None:
        """Ask it to stop; after ``grace_s`` kill it and whatever it has started. On return it is gone."""
        if self.status is None:
            self._process.send_signal(self.command.stop_signal)
            deadline = time.monotonic() + grace_s
            while self.status is None and time.monotonic() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
        self.kill()

    def kill(self) -> None:
        """End it, and whatever it has started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def last_line(self) -> str:
        """The last line that it has written since this start, or an empty string."""
        lines = self._last_lines()
        return lines[-1] if lines else ""

    def first_error(self) -> str:
        """The first of its last lines that tells of an error; the last line if none does. What follows is clean-up."""
        return next((line for line in self._last_lines() if _ERROR.search(line)), self.last_line())

    def _last_lines(self) -> list[str]:
        log = self.command.log
        tail = _tail(log, 0 if self._was_moved else self._log_start)
        if self._was_moved and len(tail) < TAIL_BYTES:
            tail = _tail(_moved(log), 0)[len(tail) - TAIL_BYTES :] + tail
        return [line.strip() for line in tail.decode(errors="replace").strip().splitlines()]


def _moved(log: Path) -> Path:
    return log.with_name(f"{log.name}.1")


def _tail(path: Path, begin: int) -> bytes:
    """The last ``TAIL_BYTES`` of a file at most, and nothing before ``begin``."""
    with path.open("rb") as file:
        file.seek(max(begin, file.seek(0, os.SEEK_END) - TAIL_BYTES))
        return file.read()


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def rotate(log: Path, limit_bytes: int) -> bool:
    """Move what a log holds to ``NAME.1`` if it is longer than ``limit_bytes``, also while a child appends to it.

    Returns whether it was moved.

    The child holds the file open, so its content is copied and the file then emptied. What it appends between the end
    of the copy and that is lost: a line or two, against a log without bound.
    """
    if not log.exists() or log.stat().st_size <= limit_bytes:
        return False
    shutil.copy(log, _moved(log))
    os.truncate(log, 0)
    return True
