"""Web parts as processes, as ``up`` and compose run them; to be killed and started again at the same address."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from undertone.local.environment import kafka_environment
from undertone.local.parts import Program
from undertone.local.ports import LOOPBACK, free_ports
from undertone.settings import Settings


class WebProcess(Program):
    """``undertone serve PART``; its log is in ``folder``."""

    def __init__(self, part: str, settings: Settings, folder: Path, **extra: str) -> None:
        (port,) = free_ports(1)
        self.address = f"http://{LOOPBACK}:{port}"
        environment = {
            **os.environ,
            **kafka_environment(settings),
            "UNDERTONE_HOME": str(settings.home),
            "UNDERTONE_PORT": str(port),
            "UNDERTONE_ACCESS": settings.access,
            "UNDERTONE_TOPIC_PREFIX": settings.topic_prefix,
            "UNDERTONE_PARTITIONS": str(settings.partitions),
            "UNDERTONE_DATABASE": settings.database.get_secret_value() if settings.database else "",
            "UNDERTONE_SECRET": settings.signing_key(),
            **extra,
        }
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        super().__init__(part, ["serve", part], folder, lambda: environment, (LOOPBACK, port))


@asynccontextmanager
async def running_web(part: str, settings: Settings, folder: Path, **extra: str) -> AsyncIterator[WebProcess]:
    """A web part that runs, ready, for the block."""
    process = WebProcess(part, settings, folder, **extra)
    try:
        await process.start()
        yield process
    finally:
        await process.stop(5)
