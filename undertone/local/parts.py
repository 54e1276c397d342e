"""The parts that `up` runs: programs of ours that say through ``/readyz`` when they would do their work."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from undertone.errors import FatalError
from undertone.local.child import Child, Command
from undertone.local.ports import reached_at

POLL_S = 0.1
ANSWER_S = 2.0

Environment: TypeAlias = Callable[[], Mapping[str, str]]
"""Asked at each start, since addresses are known only by then."""


class Part(Protocol):
    """Something that is started, is ready at some time, and is stopped; Kafka and PostgreSQL are parts too."""

    @property
    def child(self) -> Child:
        """The process of the last start."""
        ...

    async def start(self) -> None:
        """Start it (again). Raises ``FatalError`` if it cannot run."""
        ...

    async def stop(self, grace_s: float) -> None:
        """Stop it; on return its process is gone. May be called for a part that has not been started."""
        ...


class Program:
    """One part of Undertone in a process of its own: ``undertone ARGUMENTS…``, ready when its ``/readyz`` says so."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        home: Path,
        environment: Environment,
        health: tuple[str, int] | None,
    ) -> None:
        """``health``: host and port that its ``/readyz`` listens on; None: it has none, and is ready as it runs."""
        self._name = name
        self._arguments = [sys.executable, "-m", "undertone.cli", *arguments]
        self._log = home / "logs" / f"{name}.log"
        self._environment = environment
        self.health = health
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        """The process of the last start."""
        assert self._child is not None, f"{self._name} has not been started"
        return self._child

    async def start(self) -> None:
        """Start it and wait until it is ready. Raises ``EndedError`` if it ends before."""
        environment = {**self._environment(), "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"}
        self._child = Child(Command(self._name, self._arguments, self._log, environment))
        try:
            while await self.why_not_ready() is not None:
                if self._child.status is not None:
                    raise EndedError(self._child.status, self._child.last_line())  # noqa: TRY301 - and kill its children
                await asyncio.sleep(POLL_S)
        except BaseException:
            self._child.kill()
            raise

    async def why_not_ready(self) -> str | None:
        """None when it is ready, else the reason in words."""
        return None if self.health is None else await ask_readyz(*self.health)

    async def stop(self, grace_s: float) -> None:
        """Stop it; on return its process, and whatever that has started, is gone."""
        if self._child is not None:
            await self._child.stop(grace_s)


class EndedError(FatalError):
    """A part ended before it was ready: with ``status``, and with these last words."""

    def __init__(self, status: int, last_words: str) -> None:
        super().__init__(last_words)
        self.status = status


async def ask_readyz(host: str, port: int) -> str | None:
    """None if ``/readyz`` of what listens there says ready, else the reason: its own, or that it does not answer."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(reached_at(host), port)
            try:
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return "does not answer yet"
    if b" 200 " in head.split(b"\r\n", 1)[0]:
        return None
    try:
        return str(json.loads(body)["reason"])
    except (ValueError, KeyError, TypeError):
        return head.split(b"\r\n", 1)[0].decode(errors="replace")
