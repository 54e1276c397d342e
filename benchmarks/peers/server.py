"""A peer's server as a process of this machine, and its log."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from undertone.errors import FatalError

STARTS_WITHIN_S = 120.0
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


@asynccontextmanager
async def running_server(command: Sequence[str], port: int, more: Mapping[str, str]) -> AsyncIterator[int]:
    """The process id of ``command`` once it listens on ``port`` of the loopback; ended on exit.

    ``more`` is added to the environment. Raises ``FatalError`` with the end of its log if it does not get so far.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with log.open("wb") as output:  # noqa: ASYNC230 - a local file, before anything is measured
            process = await asyncio.create_subprocess_exec(
                *command, stdout=output, stderr=output, cwd=folder, env={**os.environ, **OFFLINE, **more}
            )
        try:
            await _wait_for_port(process, port, log)
            yield process.pid
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _wait_for_port(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    deadline_s = asyncio.get_running_loop().time() + STARTS_WITHIN_S
    while process.returncode is None and asyncio.get_running_loop().time() < deadline_s:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.2)
            continue
        writer.close()
        return
    said = log.read_text()[-2000:]  # noqa: ASYNC240 - the end of it all
    raise FatalError(f"the peer's server did not start; the end of its log:\n{said}")
