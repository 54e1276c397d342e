"""What an app does not know of its own memory stops it: to go on would number from 1 again."""

import pytest

from stream_apps.memory import CompactedMemory
from stream_apps.presence import Outputs, Presence
from tests.examples import SESSION_ID, mark
from undertone.errors import FatalError
from undertone.events import Statistics
from undertone.kafka import open_publisher
from undertone.settings import Settings
from undertone.topics import STATISTICS, place


@pytest.mark.parametrize("schema", [b"undertone.statistics/2", b"", b"undertone.mark/1"])
async def test_a_record_that_cannot_be_read_is_fatal_and_named(topics: Settings, schema: bytes) -> None:
    partition = place(SESSION_ID, topics.partitions)
    async with open_publisher(topics) as publisher:
        outputs = Outputs(publisher, Presence(10))
        memory = CompactedMemory(STATISTICS, Statistics, topics, outputs.put)
        await memory.read_back(frozenset({partition}))
        await memory.put(partition, Statistics(session_id=SESSION_ID, seq=7))
        await memory.put(partition, Statistics(session_id=SESSION_ID, seq=6))
        await memory.read_back(frozenset({partition}))
        remembered = memory.get(partition, SESSION_ID)
        assert remembered is not None
        assert remembered.seq == 7  # a late writer takes nothing back
        value = mark(1, 1000).model_dump_json().encode()
        await publisher.write(STATISTICS, SESSION_ID, SESSION_ID.encode(), value, [("schema", schema)])
        with pytest.raises(FatalError, match=rf"statistics, partition {partition}, offset 2, holds a record"):
            await memory.read_back(frozenset({partition}))
