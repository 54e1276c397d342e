"""The platform as processes: ingest and the workers, each started again whenever it ends, as a supervisor does."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import psycopg
from pydantic import SecretStr

from storage.migrations import upgrade
from tests.fault.mischief import Mischief
from tests.fault.part import MISCHIEF
from tests.fault.plan import INGEST, WORKERS
from tests.fault.servers import Servers
from tests.waiting import until
from undertone.bootstrap import apply_topics
from undertone.local.child import Child, Command
from undertone.local.ports import free_ports
from undertone.settings import Settings

SESSION_TIMEOUT_MS = 4000
ROOT = Path(__file__).parents[2]


class Part:
    """One process, until ``stop``."""

    def __init__(self, name: str, arguments: str, settings: Settings, folder: Path) -> None:
        self.name = name
        self.mischief = folder / f"{name}.mischief"
        self.log = folder / f"{name}.log"
        self._arguments = arguments.split()
        self.port = settings.port if name == INGEST[0] else free_ports(1)[0]
        self._environment = _environment(settings) | {
            "UNDERTONE_WORKER_ID": name,
            "UNDERTONE_PORT": str(self.port),
            "UNDERTONE_HEALTH_PORT": str(self.port),
            MISCHIEF: str(self.mischief),
        }
        self._child: Child | None = None
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start it, and again whenever it ends."""
        self._spawn()
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self, grace_s: float = 10) -> None:
        """Stop it for good; with no grace by SIGKILL."""
        if self._keeping is not None and self._child is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
            await self._child.stop(grace_s)

    def kill(self) -> None:
        """SIGKILL: it has no say."""
        self.child.kill()

    def freeze(self) -> None:
        """SIGSTOP: it stands still."""
        os.kill(self.child.pid, signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on after it was stopped."""
        os.kill(self.child.pid, signal.SIGCONT)

    @property
    def child(self) -> Child:
        """The process."""
        assert self._child is not None, "it has not been started"
        return self._child

    @property
    def is_stopped(self) -> bool:
        """Whether it was stopped by a signal, and may go on."""
        return psutil.Process(self.child.pid).status() == psutil.STATUS_STOPPED

    async def ready(self, timeout_s: float = 90) -> None:
        """Wait until it says that it is ready."""

        async def is_ready() -> bool:
            async with httpx.AsyncClient(timeout=2) as client:
                try:
                    return (await client.get(f"http://127.0.0.1:{self.port}/readyz")).is_success
                except httpx.TransportError:
                    return False

        await until(is_ready, timeout_s, f"{self.name} ready")

    def _spawn(self) -> None:
        command = [sys.executable, "-m", "tests.fault.part", *self._arguments]
        self._child = Child(Command(self.name, command, self.log, self._environment))

    async def _keep(self) -> None:
        while True:
            await self.child.wait()
            self._spawn()


class Platform:
    """One run's ingest and workers, with topics and a database of its own."""

    def __init__(self, servers: Servers, settings: Settings, folder: Path) -> None:
        self.servers = servers
        self.settings = settings
        self._folder = folder
        names = dict.fromkeys(INGEST, "serve ingest") | {name: f"worker {name}" for name in WORKERS}
        self.parts: Mapping[str, Part] = {
            name: Part(name, arguments, settings, folder) for name, arguments in names.items()
        }

    @asynccontextmanager
    async def second(self, worker: str, grace_s: float) -> AsyncIterator[None]:
        """Another worker of a kind joins, and leaves at the end; with no grace it is killed."""
        part = Part(f"{worker}-2", f"worker {worker}", self.settings, self._folder)
        part.start()
        try:
            await part.ready()
            yield
        finally:
            await part.stop(grace_s)

    def arm(self, part: str, mischief: Mischief) -> None:
        """See ``Mischief``."""
        mischief.arm(self.parts[part].mischief)

    def is_armed(self, part: str) -> bool:
        """Whether something is still to happen to a part."""
        return self.parts[part].mischief.exists()

    async def ready(self) -> None:
        """Wait until all say that they are ready."""
        await asyncio.gather(*(part.ready() for part in self.parts.values()))


@asynccontextmanager
async def open_platform(servers: Servers, name: str, folder: Path) -> AsyncIterator[Platform]:
    """A platform on the servers, whose topics and database are called ``name``; ready."""
    folder.mkdir(parents=True)
    with psycopg.connect(servers.postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    upgrade(servers.database(name))
    settings = servers.kafka.reached(
        Settings(
            home=servers.home,
            topic_prefix=name,
            partitions=2,
            port=free_ports(1)[0],
            secret=SecretStr("the secret of the fault suite, and of nobody else"),
            database=SecretStr(servers.database_over_wires(name)),
            session_timeout_ms=SESSION_TIMEOUT_MS,
            idle_after_s=3600,
            access="open",
        )
    )
    await apply_topics(settings)
    platform = Platform(servers, settings, folder)
    try:
        for part in platform.parts.values():
            part.start()
        await platform.ready()
        yield platform
    finally:
        await asyncio.gather(*(part.stop(0) for part in platform.parts.values()))


def _environment(settings: Settings) -> dict[str, str]:
    given = {name: getattr(settings, name) for name in settings.model_fields_set if getattr(settings, name) is not None}
    values = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in given.items()
    }
    return {**os.environ, "PYTHONPATH": str(ROOT)} | {
        f"UNDERTONE_{name.upper()}": str(value) for name, value in values.items()
    }
