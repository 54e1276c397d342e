"""Hands the records of one WebSocket to the log in order, and joins gaps that follow one another."""

import asyncio
from dataclasses import replace

from ingest_api.ingest import Ingest
from ingest_api.session_writer import SessionWriter
from undertone.records import Audio, AudioRecord, Gap

IN_FLIGHT_RECORDS = 64


class RecordSender:
    """One connection. ``run`` as a task; a gap waits for its turn in the session's budget, and grows meanwhile.

    ``in_flight`` has each record that was handed over, and what is done when it is durable; None for one that the log
    held before.
    """

    def __init__(self, session_id: str, writer: SessionWriter, ingest: Ingest) -> None:
        self.in_flight: asyncio.Queue[tuple[AudioRecord, asyncio.Task[int] | None]] = asyncio.Queue(IN_FLIGHT_RECORDS)
        self._session_id = session_id
        self._writer = writer
        self._ingest = ingest
        self._gap: Gap | None = None
        self._has_gap = asyncio.Event()
        self._order = asyncio.Lock()

    async def send(self, record: Audio | Gap) -> None:
        """Hand over the next record. Blocks while too much is on its way, so that the socket is not read."""
        if isinstance(record, Gap):
            self._gap = record if self._gap is None else replace(self._gap, to=record.to)
            self._has_gap.set()
            return
        await self.flush()
        await self._hand_over(record)

    async def flush(self) -> None:
        """Return when no gap waits any more."""
        async with self._order:
            if self._gap is None:
                return
            await self._ingest.spend(self._session_id)
            gap, self._gap = self._gap, None
            self._ingest.paces.skip(self._session_id, gap.at, gap.to)
            await self._hand_over(gap)

    async def run(self) -> None:
        """Hand gaps over when it is their turn, whether or not anything follows them."""
        while True:
            await self._has_gap.wait()
            self._has_gap.clear()
            await self.flush()

    async def _hand_over(self, record: Audio | Gap) -> None:
        # The producer bounds what it holds by blocking, the queue what waits for the broker.
        durable = None if self._ingest.is_known(record) else await self._writer.submit(record)
        await self.in_flight.put((record, durable))
