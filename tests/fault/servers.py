"""Kafka and PostgreSQL of the suite's own, in a home of its own; where one may mount, on a small disk of its own."""

import asyncio
import errno
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.wires import Wires, open_wires
from undertone.local.jars import provide_jars, read_pins
from undertone.local.kafka import EmbeddedKafka
from undertone.local.postgres import EmbeddedPostgres
from undertone.settings import Settings

DISK_BYTES = 768 << 20
DELAY_S = 0.15


@dataclass(frozen=True)
class Servers:
    """The two servers, and the wires over which PostgreSQL is reached. ``home`` is small if it is a disk."""

    home: Path
    is_disk: bool
    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres
    wires: Wires

    def database(self, name: str) -> str:
        """The URL of a database, straight to the server."""
        return f"{self.postgres.url.rpartition('/')[0]}/{name}"

    def database_over_wires(self, name: str) -> str:
        """The same, over the wires."""
        straight = self.database(name)
        return straight.replace(f":{urlsplit(straight).port}/", f":{self.wires.port}/")

    async def revive(self) -> None:
        """Start what has ended, as a supervisor does."""
        for server in (self.kafka, self.postgres):
            if server.child.status is not None:
                await server.start()

    @asynccontextmanager
    async def full_disk(self) -> AsyncIterator[None]:
        """No byte is free on the disk of the home during the block."""
        filler = self.home / "filler"
        await asyncio.to_thread(_fill, filler)
        try:
            yield
        finally:
            filler.unlink()

    @asynccontextmanager
    async def slow_postgres(self) -> AsyncIterator[None]:
        """Every answer of PostgreSQL, and every question, takes a while during the block."""
        self.wires.delay_s = DELAY_S
        try:
            yield
        finally:
            self.wires.delay_s = 0

    @asynccontextmanager
    async def paused_kafka(self) -> AsyncIterator[None]:
        """The broker takes connections and answers nothing during the block."""
        os.kill(self.kafka.child.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.kafka.child.pid, signal.SIGCONT)


@asynccontextmanager
async def open_servers(folder: Path) -> AsyncIterator[Servers]:
    """Both servers, running, with their home in ``folder``."""
    home = folder / "home"
    home.mkdir(parents=True)
    is_disk = mount_small_disk(home)
    try:
        kafka = EmbeddedKafka(home, provide_jars(Settings().cache, read_pins()))
        postgres = EmbeddedPostgres(home)
        try:
            await kafka.start()
            await postgres.start()
            async with open_wires(urlsplit(postgres.url).port or 0) as wires:
                yield Servers(home, is_disk, kafka, postgres, wires)
        finally:
            await kafka.stop(1)
            await postgres.stop(1)
    finally:
        if (home / "logs").exists():
            shutil.copytree(home / "logs", folder / "logs")
        if is_disk:
            subprocess.run(["umount", "--lazy", str(home)], check=True)


def mount_small_disk(at: Path) -> bool:
    """Mount a tmpfs of ``DISK_BYTES``; False where that is not allowed."""
    if os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=755", "tmpfs", str(at)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _fill(filler: Path) -> None:
    block = bytes(1 << 16)
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            try:
                written = file.write(block)
            except OSError as error:
                if error.errno != errno.ENOSPC or len(block) == 1:
                    raise
                written = 0
            if written < len(block):
                block = block[: max(1, len(block) // 2)]
