"""A fixed number of places, shared fairly: so many for one caller at most, and waiting callers take turns."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from undertone.errors import Refusal

T = TypeVar("T")

AGAIN_AFTER_MS = 10_000


class FairQueue(Generic[T]):
    """Who holds a place and who waits for one. Pure; ``T`` is what is kept of a request that waits.

    A request has a place at once or waits. Free places go to the callers in turn, one each, and to the requests of one
    caller in their order. A caller who holds ``share`` places is passed over, so that some are left for others.
    """

    def __init__(self, places: int, share: int) -> None:
        self._free = places
        self._share = share
        self._held: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()

    def enter(self, caller: str, request: T) -> bool:
        """Whether the request has a place at once; else it waits until ``leave`` returns it."""
        if self._free and self._held[caller] < self._share and caller not in self._waiting:
            self._take(caller)
            return True
        self._waiting.setdefault(caller, deque()).append(request)
        return False

    def give_up(self, caller: str, request: T) -> bool:
        """Whether the request was waiting; it does not wait any more."""
        requests = self._waiting.get(caller, deque())
        if request not in requests:
            return False
        requests.remove(request)
        if not requests:
            del self._waiting[caller]
        return True

    def leave(self, caller: str) -> list[T]:
        """Give a place of the caller back; returns the requests that have a place from now on."""
        self._free += 1
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        served = []
        while self._free and (following := self._following()) is not None:
            requests = self._waiting[following]
            served.append(requests.popleft())
            self._take(following)
            self._waiting.move_to_end(following)
            if not requests:
                del self._waiting[following]
        return served

    def _following(self) -> str | None:
        return next((caller for caller in self._waiting if self._held[caller] < self._share), None)

    def _take(self, caller: str) -> None:
        self._free -= 1
        self._held[caller] += 1


class FairPlaces:
    """The places of a ``FairQueue``, waited for."""

    def __init__(self, places: int, share: int) -> None:
        self._queue: FairQueue[asyncio.Future[None]] = FairQueue(places, share)

    @asynccontextmanager
    async def hold(self, caller: str, within_s: float) -> AsyncIterator[None]:
        """Have a place for the block. Raises ``Refusal`` ``files_busy`` if there is none within ``within_s``."""
        await self._enter(caller, within_s)
        try:
            yield
        finally:
            self._leave(caller)

    async def _enter(self, caller: str, within_s: float) -> None:
        served: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._queue.enter(caller, served):
            return
        try:
            async with asyncio.timeout(within_s):
                await served
        except BaseException as error:
            if not self._queue.give_up(caller, served):  # it was served at this very moment
                self._leave(caller)
            if isinstance(error, TimeoutError):
                raise files_busy() from error
            raise

    def _leave(self, caller: str) -> None:
        for served in self._queue.leave(caller):
            if not served.done():
                served.set_result(None)


def files_busy() -> Refusal:
    """The answer while there is no room for another file."""
    return Refusal(
        "files_busy",
        "other files are being taken: try again",
        status=503,
        retryable=True,
        retry_after_ms=AGAIN_AFTER_MS,
    )
