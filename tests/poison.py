"""Records that nobody can process, of every kind that a topic may come to hold, and a producer that writes them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from undertone.audio import LAST_SAMPLE
from undertone.codec import Headers, encode, encode_audio
from undertone.events import Event
from undertone.identifiers import make_session_id
from undertone.kafka import client_options, topic_name
from undertone.records import Audio, Open
from undertone.settings import Settings
from undertone.topics import Topic, place


@dataclass(frozen=True)
class Bad:
    """A record as a producer of somebody else's might write it; ``aside`` is how far from where it belongs."""

    value: bytes | None
    headers: Headers
    aside: int = 0


def bad_events(event: Event) -> dict[str, Bad]:
    """What is no ``event``, and why; a null value is not among them, since a compacted topic may hold one."""
    value, headers = encode(event)
    fields = json.loads(value)

    def changed(**changes: object) -> Bad:
        return Bad(json.dumps(fields | changes).encode(), headers)

    return {
        "empty": Bad(b"", headers),
        "not json": Bad(b"\xff\xfe{", headers),
        "json of another kind": Bad(b'["a","list"]', headers),
        "deep": Bad(b"[" * 50_000, headers),
        "no headers": Bad(value, []),
        "a null header": Bad(value, [("schema", None)]),  # type: ignore[list-item]
        "another's schema": Bad(value, [("schema", b"somebody.else/1")]),
        "unknown schema": Bad(value, [("schema", b"undertone.song/1")]),
        "future schema": Bad(value, [("schema", headers[0][1][:-1] + b"2")]),
        "endless version": Bad(value, [("schema", b"undertone.mark/" + b"9" * 5000)]),
        "another type": Bad(value, [("schema", b"undertone.worker/1")]),
        "no session id": changed(session_id="somebody"),
        "NUL in the session id": changed(session_id=fields["session_id"][:-1] + "\0"),
        "a lone surrogate": changed(session_id="\ud800"),
        "negative number": changed(seq=-1),
        "number out of range": changed(seq=2**63),
        "enormous sample": changed(through=LAST_SAMPLE + 1, size_ms=10**15),
        "large value": Bad(value + b" " * 1_000_001, headers),
        "huge value": Bad(value + b" " * 3_000_000, headers),
        "huge headers": Bad(b"", [("a", b"x" * 2_500_000)]),
        "another partition": Bad(value, headers, aside=1),
    }


def bad_audio(session_id: str) -> dict[str, Bad]:
    """What is no record of a session's log, and why."""
    pcm, headers = encode_audio(Audio(session_id, "a", 0, b"\0\0" * 100))
    opened, open_headers = encode_audio(Open(make_session_id(1_790_000_000_000, 99), "a", 0))

    def headed(**changes: bytes) -> Bad:
        return Bad(pcm, [(name, changes.get(name, given)) for name, given in headers])

    return {
        "null": Bad(None, headers),
        "empty": Bad(b"", headers),
        "inside a sample": Bad(b"\0\0\0", headers),
        "no headers": Bad(pcm, []),
        "no position": Bad(pcm, [each for each in headers if each[0] != "at"]),
        "negative position": headed(at=b"-1"),
        "endless position": headed(at=b"9" * 5000),
        "position beyond": headed(at=str(LAST_SAMPLE).encode()),
        "no position at all": headed(at=b"soon"),
        "unknown kind": headed(kind=b"song"),
        "connection not of text": headed(connection=b"\xff"),
        "future schema": headed(schema=b"undertone.audio/2"),
        "an event": headed(schema=b"undertone.mark/1"),
        "another session's": Bad(opened, open_headers),
        "large value": Bad(bytes(1_000_002), headers),
        "huge value": Bad(bytes(3_000_000), headers),
        "another partition": Bad(pcm, headers, aside=1),
    }


class Producer:
    """Writes what it is told where it is told, as any program with access to Kafka can."""

    def __init__(self, producer: AIOKafkaProducer, settings: Settings) -> None:
        self._producer = producer
        self._settings = settings

    async def write(self, topic: Topic, session_id: str, bad: Bad) -> None:
        """Write a bad record, with the session id for its key."""
        partitions = self._settings.partitions
        partition = (place(session_id, partitions) + bad.aside) % partitions
        name = topic_name(self._settings, topic)
        key = session_id.encode()
        await self._producer.send_and_wait(name, bad.value, key, partition, headers=bad.headers)


@asynccontextmanager
async def producing(settings: Settings) -> AsyncIterator[Producer]:
    """A producer that compresses: what is small on the way may be huge where it is read."""
    producer = AIOKafkaProducer(**client_options(settings), compression_type="gzip", max_request_size=5_000_000)
    await producer.start()
    try:
        yield Producer(producer, settings)
    finally:
        await producer.stop()
