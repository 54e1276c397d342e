"""The statistician: utterances and marks in, windows out; its memory is the compacted topic ``statistics``."""

import asyncio
from collections.abc import Sequence

from stream_apps import windows
from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import Delivery
from stream_apps.memory import CompactedMemory
from stream_apps.presence import Outputs
from stream_apps.reading import read_judged
from undertone.errors import PoisonError
from undertone.events import Deletion, Mark, Statistics, Utterance, Window
from undertone.identifiers import window_key
from undertone.retry import retry
from undertone.settings import Settings
from undertone.topics import STATISTICS, UTTERANCES, WINDOWS, Topic


class Statistician:
    """Keeps the windows of each session: outputs, then memory, then settled."""

    name = "statistics"
    inputs: Sequence[Topic] = (UTTERANCES,)

    def __init__(self, settings: Settings, outputs: Outputs, dead_letters: DeadLetters) -> None:
        self._outputs = outputs
        self._memory = CompactedMemory(STATISTICS, Statistics, settings, outputs.put, dead_letters.put)

    async def assign(self, partitions: frozenset[int]) -> None:
        """Read the memory of the partitions back."""
        self._memory.forget()
        await retry(lambda: self._memory.read_back(partitions))

    async def revoke(self) -> None:
        """Forget: the topic has it."""
        self._memory.forget()

    async def receive(self, delivery: Delivery) -> None:
        """Write the windows that a final or mark changes, then the memory; repeats and tombstones change nothing."""
        event = read_judged(delivery)
        if event is not None:
            await self._apply(delivery.partition, event)
        delivery.settle()

    async def forget(self, partition: int, deletion: Deletion) -> None:
        """Keep of the session's memory its name and number alone."""
        known = self._memory.get(partition, deletion.session_id)
        if known is not None:
            await self._memory.put(partition, Statistics(session_id=known.session_id, seq=known.seq))

    async def _apply(self, partition: int, event: Utterance | Mark) -> None:
        before = self._memory.get(partition, event.session_id) or Statistics(session_id=event.session_id)
        try:
            after, changed = windows.apply(before, event)
        except (ArithmeticError, ValueError) as error:
            raise PoisonError(f"no statistics come of this event: {error!r}") from error
        await asyncio.gather(*(self._put(window) for window in changed[:-1]))
        for whole in changed[-1:]:  # behind all others in the log: see ``undertone.windows``
            await self._put(whole)
        if after is not before:
            await self._memory.put(partition, after)

    async def _put(self, window: Window) -> None:
        key = window_key(window.session_id, window.size_ms, window.start_ms)
        await self._outputs.put(WINDOWS, window.session_id, window, key)
