"""How each kind of fault strikes a platform: what is done before a stretch of audio is sent, and what after it.

The sleeps here wait for nothing: they are when a fault strikes and how long it lasts, as the plan has it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from stream_apps.adapter import COMMIT_EVERY_S
from tests.fault.mischief import Mischief
from tests.fault.plan import Fault
from tests.fault.platform import Platform
from tests.fault.recorders import ClumsyRecorder
from tests.waiting import until
from tests.wires import Wires

STRUCK_WITHIN_S = 10.0
ACKNOWLEDGED_WITHIN_S = 60.0
LINGER_S = 2.4 * COMMIT_EVERY_S


class Strikes:
    """Faults on one platform, its recorders, and the wires that these speak over. ``missed`` never struck."""

    def __init__(self, platform: Platform, recorders: Sequence[ClumsyRecorder], wires: Wires) -> None:
        self._platform = platform
        self._recorders = recorders
        self._wires = wires
        self._armed: dict[str, Fault] = {}
        self._missed: list[Fault] = []

    @asynccontextmanager
    async def strike(self, fault: Fault) -> AsyncIterator[None]:
        """The fault strikes while audio is sent in the block; at the end it is over, but for what has to recover."""
        async with _KINDS[fault.kind](self, fault):
            yield

    @property
    def missed(self) -> list[Fault]:
        """Those whose point nobody has passed."""
        return self._missed + [fault for part, fault in self._armed.items() if self._platform.is_armed(part)]

    @asynccontextmanager
    async def _kill(self, fault: Fault) -> AsyncIterator[None]:
        yield
        await asyncio.sleep(fault.after_s)
        self._platform.parts[fault.target].kill()

    @asynccontextmanager
    async def _die(self, fault: Fault) -> AsyncIterator[None]:
        lingers = fault.number % 2 and not fault.target.endswith("commit")
        self._arm(fault, "die", linger_s=LINGER_S if lingers else 0)
        yield
        await self._until_struck(fault)

    @asynccontextmanager
    async def _fail(self, fault: Fault) -> AsyncIterator[None]:
        self._arm(fault, "fail")
        yield
        await self._until_struck(fault)

    @asynccontextmanager
    async def _sleep(self, fault: Fault) -> AsyncIterator[None]:
        part = self._platform.parts[fault.target.split()[0]]
        self._arm(fault, "stop")
        yield
        await self._until_struck(fault)
        if self._platform.is_armed(part.name):
            part.mischief.unlink()  # later nobody would wake it
            self._missed.append(fault)
            return
        await until(lambda: part.is_stopped, STRUCK_WITHIN_S)
        sleeper = part.child
        async with self._platform.second(part.name, 10):  # ready means that the sleeper has lost its partitions
            await asyncio.sleep(fault.after_s)
            part.wake()
            await until(lambda: part.child is not sleeper, STRUCK_WITHIN_S, f"{part.name} ends when it wakes up")
            await part.ready()

    @asynccontextmanager
    async def _freeze(self, fault: Fault) -> AsyncIterator[None]:
        """Its recorders go on at the other replica: only when all is acknowledged there, it goes on as well."""
        name, *point = fault.target.split(maxsplit=1)
        part = self._platform.parts[name]
        if point:
            self._arm(fault, "stop")
            self._wires.cut()  # so that its recorders start again: the record that it stops at may be their ``open``
            yield
            await self._until_struck(fault)
            if self._platform.is_armed(name):
                part.mischief.unlink()
                self._missed.append(fault)
                return
            await until(lambda: part.is_stopped, STRUCK_WITHIN_S)
        else:
            yield
            await asyncio.sleep(fault.after_s)
            part.freeze()
        try:
            self._wires.cut()
            await until(lambda: all(one.is_acknowledged for one in self._recorders), ACKNOWLEDGED_WITHIN_S)
        finally:
            part.wake()

    @asynccontextmanager
    async def _join(self, fault: Fault) -> AsyncIterator[None]:
        async with self._platform.second(fault.target, 10 * (fault.number % 2)):
            yield
            await asyncio.sleep(fault.after_s)

    @asynccontextmanager
    async def _kafka(self, fault: Fault) -> AsyncIterator[None]:
        servers = self._platform.servers
        if fault.target == "pause":
            async with servers.paused_kafka():
                yield
                await asyncio.sleep(fault.lasts_s)
            return
        await servers.kafka.stop(6 if fault.target == "restart" else 0)
        try:
            yield
        finally:
            await servers.kafka.start()

    @asynccontextmanager
    async def _postgres(self, fault: Fault) -> AsyncIterator[None]:
        servers = self._platform.servers
        match fault.target:
            case "slow":
                async with servers.slow_postgres():
                    yield
                    await asyncio.sleep(fault.lasts_s)
            case "cut":
                servers.wires.cut_after(fault.number)
                yield
                await asyncio.sleep(fault.after_s)
                servers.wires.cut()
            case target:
                yield
                await asyncio.sleep(fault.after_s)
                await servers.postgres.stop(0 if target == "kill" else 6)
                await asyncio.sleep(fault.lasts_s if target == "away" else 0)
                await servers.postgres.start()

    @asynccontextmanager
    async def _wire(self, fault: Fault) -> AsyncIterator[None]:
        if fault.target == "cut":
            self._wires.cut_after(fault.number * 100)
            yield
            await asyncio.sleep(fault.after_s)
            self._wires.cut()
        else:
            self._wires.freeze()
            yield

    @asynccontextmanager
    async def _frames(self, fault: Fault) -> AsyncIterator[None]:
        for recorder in self._recorders:
            recorder.clumsy = "repeat" if fault.target == "repeat" else "reorder"
        yield

    @asynccontextmanager
    async def _disk(self, fault: Fault) -> AsyncIterator[None]:
        servers = self._platform.servers
        if not servers.is_disk:
            self._missed.append(fault)
            yield
            return
        async with servers.full_disk():
            yield
            await asyncio.sleep(fault.lasts_s)
        await servers.revive()

    def _arm(self, fault: Fault, deed: Any, linger_s: float = 0) -> None:
        part, point = fault.target.split(maxsplit=1)
        if part in self._armed and self._platform.is_armed(part):
            self._missed.append(self._armed[part])
        self._armed[part] = fault
        skip = 0 if point.endswith("commit") else fault.number // 2 % 2
        self._platform.arm(part, Mischief(point, deed, skip, linger_s))

    async def _until_struck(self, fault: Fault) -> None:
        """Wait for it for a while; it stays armed."""
        with suppress(AssertionError):
            await until(lambda: not self._platform.is_armed(fault.target.split()[0]), STRUCK_WITHIN_S)


_KINDS: Mapping[str, Callable[[Strikes, Fault], Any]] = {
    "kill": Strikes._kill,
    "die": Strikes._die,
    "fail": Strikes._fail,
    "sleep": Strikes._sleep,
    "freeze": Strikes._freeze,
    "join": Strikes._join,
    "kafka": Strikes._kafka,
    "postgres": Strikes._postgres,
    "wire": Strikes._wire,
    "frames": Strikes._frames,
    "disk": Strikes._disk,
}
