"""Which of the records that Faust hands over reach the app."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

from faust.types.tuples import TP

from stream_apps.acknowledgement import InOrder
from stream_apps.adapter import Adapter
from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import Delivery
from undertone.settings import Settings
from undertone.topics import AUDIO, Topic

PLACE = TP("undertone.audio", 0)


class Collector:
    """Takes all, and settles nothing by itself."""

    name = "collector"
    inputs: Sequence[Topic] = (AUDIO,)

    def __init__(self) -> None:
        self.taken: list[Delivery] = []
        self.has_let_go = False

    async def assign(self, partitions: frozenset[int]) -> None: ...

    async def receive(self, delivery: Delivery) -> None:
        self.taken.append(delivery)

    async def revoke(self) -> None:
        self.has_let_go = True


def make_adapter(app: Collector) -> Adapter:
    """An adapter that holds ``PLACE``, and has not read its memory yet."""
    adapter = Adapter(app, Settings(kafka="none:1"), cast("DeadLetters", None))
    adapter._counts = {PLACE.topic: 1}
    adapter._partitions = {PLACE: InOrder()}
    return adapter


class Handed:
    """A stream of Faust's: records of the generation that ``adapter`` is in when they are handed over."""

    def __init__(self, adapter: Adapter, offsets: Sequence[int]) -> None:
        self._adapter = adapter
        self._offsets = offsets

    def noack(self) -> "Handed":
        return self

    async def events(self) -> AsyncIterator[Any]:
        for offset in self._offsets:
            yield SimpleNamespace(message=self._message(offset))

    def _message(self, offset: int) -> Any:
        return SimpleNamespace(
            tp=PLACE,
            topic=PLACE.topic,
            partition=PLACE.partition,
            offset=offset,
            generation_id=self._adapter.faust.consumer_generation_id,
            timestamp=0.0,
            key=None,
            value=None,
            headers=None,
        )


async def test_a_record_that_waited_until_its_assignment_was_gone_is_left_to_the_next() -> None:
    """Faust looks at a record when it hands it over; here it waits for a memory that is long to read."""
    app = Collector()
    adapter = make_adapter(app)
    consuming = asyncio.create_task(adapter._consume(Handed(adapter, [7])))
    await asyncio.sleep(0)
    adapter.faust.consumer_generation_id += 1  # it went to another, and came back
    adapter._assigned.set()
    await consuming
    assert app.taken == []
    await adapter._consume(Handed(adapter, [7, 8]))
    assert [delivery.offset for delivery in app.taken] == [7, 8]


async def test_what_was_under_way_when_the_partitions_went_is_let_go_and_never_committed() -> None:
    """Another may be far beyond it: a commit would take it back."""
    commits: list[object] = []

    async def commit(offsets: object) -> bool:
        commits.append(offsets)
        return True

    app = Collector()
    adapter = make_adapter(app)
    adapter.faust.consumer = cast("Any", SimpleNamespace(_commit=commit))
    adapter._assigned.set()
    await adapter._consume(Handed(adapter, [7, 8]))
    app.taken[0].settle()
    await adapter._revoke(None, {PLACE})
    assert app.has_let_go
    app.taken[1].settle()  # a decode that could not be stopped any more
    await adapter._commit()
    assert commits == [{PLACE: 8}]
