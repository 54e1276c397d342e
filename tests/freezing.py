"""Servers that hang: they keep their connections, take what is sent, and answer nothing."""

import contextlib
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """The process and all its children stand still (SIGSTOP) for the block, and go on behind it."""
    stopped: list[psutil.Process] = []
    try:
        # parents first: a process that stands still starts no more children
        waiting = [psutil.Process(pid)]
        while waiting:
            process = waiting.pop(0)
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
                stopped.append(process)
                waiting += process.children()
        yield
    finally:
        for process in reversed(stopped):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
