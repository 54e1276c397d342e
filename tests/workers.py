"""Workers as processes, as ``up`` and compose run them; to be killed, stopped and started again."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.waiting import until
from undertone.local.ports import free_ports
from undertone.settings import Settings


class WorkerProcess:
    """One ``undertone worker NAME``, restarted under the same name in its group; its log is in ``folder``."""

    def __init__(self, name: str, settings: Settings, folder: Path, **extra: str) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        (self._port,) = free_ports(1)
        self._environment = os.environ | {
            "UNDERTONE_HOME": str(settings.home),
            "UNDERTONE_KAFKA": settings.brokers(),
            "UNDERTONE_TOPIC_PREFIX": settings.topic_prefix,
            "UNDERTONE_PARTITIONS": str(settings.partitions),
            "UNDERTONE_DATABASE": settings.database.get_secret_value() if settings.database else "",
            "UNDERTONE_HEALTH_PORT": str(self._port),
            "UNDERTONE_WORKER_ID": f"{name}-1",
            **extra,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; see ``ready``."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "undertone.cli", "worker", self.name]
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    async def ready(self, timeout_s: float = 60) -> None:
        """Wait until it says that it is ready."""

        async def is_ready() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self.log()
            async with httpx.AsyncClient(timeout=2) as client:
                try:
                    return (await client.get(f"http://127.0.0.1:{self._port}/readyz")).is_success
                except httpx.TransportError:
                    return False

        await until(is_ready, timeout_s, f"{self.name} ready")

    def kill(self) -> None:
        """SIGKILL: it has no say."""
        self.stop(signal.SIGKILL)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end; its exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(15)

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """What it logged so far."""
        return self._log.read_text(errors="replace")


@contextmanager
def running_workers(names: tuple[str, ...], settings: Settings, folder: Path) -> Iterator[dict[str, WorkerProcess]]:
    """Workers that run for the block; whatever still runs at its end is killed."""
    workers = {name: WorkerProcess(name, settings, folder) for name in names}
    try:
        for worker in workers.values():
            worker.start()
        yield workers
    finally:
        for worker in workers.values():
            if worker.is_running:
                worker.kill()
