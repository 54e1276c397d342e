"""Reading in shares: how many answers one caller may have under way, and whose turn it is to read and write some rows.

Reading rows and writing JSON take the event loop's time, in which no audio is acknowledged and no viewer is served. So
every answer is made in small steps. Steps begin a little apart, so that the loop does everything else in between, and
callers take turns, so that one with many reads does not delay the others.
"""

import asyncio
import json
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from fastapi.responses import StreamingResponse
from starlette.requests import HTTPConnection

from dashboards.forms import viewer_json
from storage.queries import Page
from undertone.access.limits import address_name
from undertone.errors import Refusal
from undertone.events import Utterance, Value, Window
from undertone.parts import PART_ITEMS, in_parts

STEP_ITEMS = PART_ITEMS
STEP_EVERY_S = 0.01
MOST_PER_CALLER = 32
AGAIN_AFTER_MS = 1000


class FairPace:
    """Lets steps begin at least ``every_s`` apart. Names that wait take turns."""

    def __init__(self, every_s: float = STEP_EVERY_S) -> None:
        self._every_s = every_s
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def turn(self, name: str) -> None:
        """Return when a step of ``name`` may begin."""
        loop = asyncio.get_running_loop()
        if self._timer is None:
            self._timer = loop.call_later(self._every_s, self._next)
            return
        mine: asyncio.Future[None] = loop.create_future()
        self._waiting.setdefault(name, deque()).append(mine)
        await mine

    def _next(self) -> None:
        self._timer = None
        while self._waiting:
            name, waiting = self._waiting.popitem(last=False)
            mine = waiting.popleft()
            if waiting:
                self._waiting[name] = waiting
            if not mine.done():  # or it was cancelled
                mine.set_result(None)
                self._timer = asyncio.get_running_loop().call_later(self._every_s, self._next)
                return


@dataclass(frozen=True)
class Reader:
    """Who reads; ``turn`` before each step."""

    name: str
    pace: FairPace

    async def turn(self) -> None:
        """Return when the next step may begin."""
        await self.pace.turn(self.name)


class Reads:
    """The reads of one process. A caller is a key or a token at an address: a link may be many people's."""

    def __init__(self, *, is_open: bool, most_per_caller: int = MOST_PER_CALLER) -> None:
        """An open instance has no limit per caller."""
        self._is_open = is_open
        self._most = most_per_caller
        self._pace = FairPace()
        self._under_way: Counter[str] = Counter()

    async def reader(self, connection: HTTPConnection) -> AsyncIterator[Reader]:
        """A dependency: counts an answer until it is sent. Raises ``Refusal`` for too many."""
        client = connection.client
        name = f"{connection.state.caller.name} at {address_name(client.host if client else None)}"
        if self._under_way[name] >= self._most and not self._is_open:
            words = f"{self._most} answers to {name} are under way: wait for them"
            raise Refusal("too_many_reads", words, status=429, retryable=True, retry_after_ms=AGAIN_AFTER_MS)
        self._under_way[name] += 1
        try:
            yield Reader(name, self._pace)
        finally:
            self._under_way[name] -= 1
            if not self._under_way[name]:
                del self._under_way[name]


Read = Callable[[str | None, int], Awaitable[Page[Utterance] | Page[Window] | None]]


async def paged(name: str, read: Read, cursor: str | None, limit: int, reader: Reader) -> StreamingResponse:
    """The answer ``{name: […], "next": cursor or null}`` of up to ``limit`` events, read and sent in steps.

    ``read`` gives the page behind a cursor, None if there is no more to be shown. What it raises at first is raised
    here, before anything is sent; afterwards the answer is cut off.
    """
    await reader.turn()
    first = await read(cursor, min(limit, STEP_ITEMS))

    async def written() -> AsyncIterator[str]:
        page, left, between = first, limit, ""
        yield f'{{"{name}":['
        while page is not None and page.items:
            yield between + ",".join(map(viewer_json, page.items))
            between = ","
            left -= len(page.items)
            if page.next is None or left <= 0:
                break
            await reader.turn()
            page = await read(page.next, min(left, STEP_ITEMS))
        yield f'],"next":{json.dumps(page.next if page else None)}}}'

    return json_stream(written())


def json_stream(pieces: AsyncIterator[str]) -> StreamingResponse:
    """An answer of JSON in pieces."""
    return StreamingResponse(pieces, media_type="application/json")


async def json_list(values: Iterable[Value]) -> AsyncIterator[str]:
    """The values as a list, in pieces."""
    between = "["
    async for part in in_parts(values):
        yield between + ",".join(map(viewer_json, part))
        between = ","
    yield "[]" if between == "[" else "]"
