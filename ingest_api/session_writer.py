"""Writes the records of one connection to its session's log, and says when each counts."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from ingest_api.audio_log import AudioLog, Watch
from ingest_api.publishers import ANSWER_WITHIN_S, Publishers, kafka_away
from undertone.records import AudioRecord, Close, Open


class SessionWriter:
    """One connection. Everything raises ``Refusal``: ``kafka_away``, or why the connection does not count."""

    def __init__(self, watch: Watch, publishers: Publishers) -> None:
        self.watch = watch
        self._publishers = publishers

    async def write(self, *records: AudioRecord) -> None:
        """Write records in order and return when all count: see ``confirm``. Takes ``ANSWER_WITHIN_S`` at most.

        The first record of a connection is its ``Open``.
        """
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                durable = [await self.submit(record) for record in records]
                for record, offset in zip(records, durable, strict=True):
                    await self.confirm(record, offset)
        except TimeoutError as error:
            raise kafka_away() from error

    async def submit(self, record: AudioRecord) -> "asyncio.Task[int]":
        """Hand a record over, as ``Publishers.submit``."""
        return await self._publishers.submit(record)

    async def confirm(self, record: AudioRecord, durable: "asyncio.Task[int]") -> None:
        """Return when a record that was submitted is durable, read back, and counts or repeats what does."""
        await asyncio.shield(durable)
        match record:
            case Open():
                await self.watch.opens()
            case Close():
                await self.watch.closes()
            case _:
                await self.watch.reaches(record.end)


@contextmanager
def open_writer(log: AudioLog, publishers: Publishers, session_id: str, connection: str) -> Iterator[SessionWriter]:
    """A writer for a new connection, for the length of the block."""
    with log.watch(session_id, connection) as watch:
        yield SessionWriter(watch, publishers)
