"""Starts parts as their needs are met, keeps them running, stops them in order. The decisions are in ``plan``."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from undertone.errors import FatalError
from undertone.local.parts import EndedError, Part
from undertone.local.plan import NEEDS, STOP, History

Step: TypeAlias = Callable[[], Awaitable[None]]
Say: TypeAlias = Callable[[str, str], None]
"""Tells the terminal: the part's name, and a line about it."""


class Supervisor:
    """Runs ``steps`` (done once) and ``parts`` (kept running) in the order of ``plan.NEEDS``."""

    def __init__(self, parts: Mapping[str, Part], steps: Mapping[str, Step], say: Say) -> None:
        """What a part needs and this run does not have (as with an external Kafka) counts as met."""
        self._parts = parts
        self._steps = steps
        self._say = say
        self._done = {name: asyncio.Event() for name in (*parts, *steps)}
        self._begun = time.monotonic()

    async def run(self) -> None:
        """Keep everything running until cancelled. Raises ``FatalError`` when a step or a part is hopeless."""
        tasks = [asyncio.create_task(self._step(name, step)) for name, step in self._steps.items()]
        tasks += [asyncio.create_task(self._keep(name, part)) for name, part in self._parts.items()]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def until_ready(self) -> float:
        """Wait until every part is ready and every step done, all at once; the seconds since the beginning."""
        while missing := self.missing():
            await self._done[missing[0]].wait()
        return time.monotonic() - self._begun

    def missing(self) -> list[str]:
        """What is not ready or done yet."""
        return [name for name, done in self._done.items() if not done.is_set()]

    async def stop(self) -> None:
        """Stop every part in the order of ``plan.STOP``, killing those that take too long. On return all are gone."""
        for wave in STOP:
            there = [self._parts[name] for name in wave.names if name in self._parts]
            await asyncio.gather(*(part.stop(wave.grace_s) for part in there))

    async def _after_needs(self, name: str) -> None:
        for need in NEEDS[name] & self._done.keys():
            await self._done[need].wait()

    async def _step(self, name: str, step: Step) -> None:
        await self._after_needs(name)
        await step()
        self._done[name].set()

    async def _keep(self, name: str, part: Part) -> None:
        await self._after_needs(name)
        history = History()
        while True:
            begun = time.monotonic()
            try:
                await part.start()
                history = history.ready()
                self._say(name, f"ready after {time.monotonic() - begun:.1f} s")
                self._done[name].set()
                status, last_words = await part.child.wait(), part.child.last_line()
            except EndedError as error:
                status, last_words = error.status, str(error)
            except FatalError as error:
                status, last_words = 1, str(error)
            self._done[name].clear()
            history = history.ended(status, time.monotonic() - begun)
            if history.is_hopeless:
                raise FatalError(f"{name} cannot start: {last_words.removeprefix('error: ')}")
            self._say(name, f"{_how(status)}, starts again in {history.wait_s:g} s; its last words: {last_words}")
            await part.stop(0)
            await asyncio.sleep(history.wait_s)


def _how(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
