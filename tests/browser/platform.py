"""The whole of Undertone under test: ``undertone up`` in a home of its own, where nobody is asked for a login."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ANOTHER_NAME = "undertone.test"
"""A name that it may be asked for by, besides that of the loopback."""
_READY = re.compile(r"ready\s+(http://\S+)")
_START_S = 300
_STOP_S = 30


@dataclass(frozen=True)
class Platform:
    """A running Undertone: its address, and the process that keeps it."""

    url: str
    process: psutil.Process

    @property
    def database(self) -> str:
        """The URL of the embedded PostgreSQL, which `up` gives its parts."""
        return self.part("serve", "all").environ()["UNDERTONE_DATABASE"]

    def part(self, *words: str) -> psutil.Process:
        """The part whose command line holds these words next to one another, such as ``serve all``."""
        for child in self.process.children(recursive=True):
            line = child.cmdline()
            if any(line[at : at + len(words)] == list(words) for at in range(len(line))):
                return child
        raise AssertionError(f"no part runs as {' '.join(words)}")


@contextmanager
def running_platform(home: Path, *options: str) -> Iterator[Platform]:
    """Start it and wait until speech would be transcribed; stop it afterwards."""
    command = [sys.executable, "-m", "undertone.cli", "up", "--port", "0", "--home", str(home), *options]
    environment = os.environ | {"UNDERTONE_ACCESS": "open", "UNDERTONE_PUBLIC_URL": f"http://{ANOTHER_NAME}"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines: list[str] = []
    url: list[str] = []
    settled = threading.Event()

    def read() -> None:
        assert process.stdout
        for line in process.stdout:
            lines.append(line)
            if found := _READY.search(line):
                url.append(found[1])
                settled.set()
        settled.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        settled.wait(_START_S)
        assert url, f"undertone up did not become ready:\n{''.join(lines[-40:])}"
        yield Platform(url[0], psutil.Process(process.pid))
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(_STOP_S)
        assert process.stdout
        process.stdout.close()
