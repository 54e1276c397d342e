"""What an app reads back of its own memory: a newer program's record stops it, anything else that is none is put aside.

To go on without a record that a newer program wrote would number from 1 again.
"""

import pytest

from stream_apps.dead_letters import DeadLetters
from stream_apps.memory import CompactedMemory
from stream_apps.presence import Outputs, Presence
from tests.examples import SESSION_ID, mark
from tests.streams import read_records
from undertone.codec import encode
from undertone.errors import FatalError
from undertone.events import Statistics
from undertone.identifiers import make_session_id
from undertone.kafka import open_publisher
from undertone.settings import Settings
from undertone.topics import DEAD_LETTERS, STATISTICS, place

KEY = SESSION_ID.encode()


async def test_what_is_no_record_is_put_aside_and_what_the_app_wrote_counts(topics: Settings) -> None:
    partition = place(SESSION_ID, topics.partitions)
    async with open_publisher(topics) as publisher:
        outputs = Outputs(publisher, Presence(10))
        letters = DeadLetters("statistics", outputs)
        memory = CompactedMemory(STATISTICS, Statistics, topics, outputs.put, letters.put)
        await memory.read_back(frozenset({partition}))
        await memory.put(partition, Statistics(session_id=SESSION_ID, seq=7))
        await memory.put(partition, Statistics(session_id=SESSION_ID, seq=6))  # a late writer takes nothing back
        other = Statistics(session_id=make_session_id(1_790_000_000_000, 1), seq=9)
        for value, headers in (
            (b"\xff", [("schema", b"undertone.statistics/1")]),
            (b"", []),
            encode(mark(1, 1000)),
            encode(other),
            (None, []),
        ):
            await publisher.write(STATISTICS, SESSION_ID, KEY, value, headers)
        await memory.read_back(frozenset({partition}))
    assert [(each.session_id, each.seq) for each in memory.all(partition)] == [(SESSION_ID, 7)]
    assert [letter.value for letter in await read_records(topics, DEAD_LETTERS)] == [
        b"\xff",
        b"",
        encode(mark(1, 1000))[0],
        encode(other)[0],
    ]


async def test_a_record_of_a_newer_program_is_fatal_and_named(topics: Settings) -> None:
    partition = place(SESSION_ID, topics.partitions)
    async with open_publisher(topics) as publisher:
        outputs = Outputs(publisher, Presence(10))
        letters = DeadLetters("statistics", outputs)
        memory = CompactedMemory(STATISTICS, Statistics, topics, outputs.put, letters.put)
        await publisher.write(STATISTICS, SESSION_ID, KEY, b"{}", [("schema", b"undertone.statistics/2")])
        with pytest.raises(FatalError, match=rf"statistics, partition {partition}, offset 0, holds a record"):
            await memory.read_back(frozenset({partition}))
    assert await read_records(topics, DEAD_LETTERS) == []
