"""A system that is measured, as the driver needs it: Undertone, or a peer."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from benchmarks.capacity.seen import Seen


class Session(Protocol):
    """One speaker's session, open from the start; everything that it shows is noted in ``seen``."""

    seen: Seen

    async def write(self, pcm: bytes) -> None:
        """Send the next samples (s16le)."""

    async def stop(self) -> None:
        """Say that nothing follows, and wait until the system has said that all is final, or for as long as is fair."""


@dataclass(frozen=True)
class System:
    """One that runs on this machine: its processes are the children of this one, named by ``name_part``."""

    name: str
    pid: int
    open_session: Callable[[], AbstractAsyncContextManager[Session]]
    name_part: Callable[[str, list[str]], str]
    """From a process's name and command line to what the part is called in the figures."""


Start: TypeAlias = Callable[[], AbstractAsyncContextManager[System]]
