"""What the write side follows, on a real Kafka."""

import asyncio
from datetime import UTC, datetime

from ingest_api.follower import Follower
from tests.ingest_serving import tell
from tests.waiting import until
from undertone.events import Worker
from undertone.identifiers import make_session_id
from undertone.kafka import Publisher, open_publisher
from undertone.settings import Settings
from undertone.topics import WORKERS

SECOND = 16_000


async def report(publisher: Publisher, session_id: str, name: str, backlog_s: float) -> None:
    worker = Worker(worker=name, app="transcriber", at=datetime.now(UTC), backlog_s=backlog_s, heard={session_id: 0})
    await publisher.publish(WORKERS, session_id, worker, name)


async def test_sessions_are_read_from_the_beginning_and_workers_from_the_end(topics: Settings) -> None:
    session_id = make_session_id(round(datetime.now(UTC).timestamp() * 1000), 1)
    follower = Follower(topics, lambda: datetime.now(UTC))

    def behind_ms() -> int:
        return follower.knowledge.behind_ms(session_id, SECOND, datetime.now(UTC))

    async with open_publisher(topics) as publisher:
        await tell(publisher, session_id, state="live", through=SECOND, seq=1)
        await report(publisher, session_id, "former", 9.0)
        following = asyncio.create_task(follower.run())
        try:
            await until(lambda: follower.why_not_ready() is None, 20)
            await report(publisher, session_id, "present", 3.0)
            await until(behind_ms, 10)
            assert behind_ms() == 3000
            assert follower.knowledge.through(session_id) == SECOND
        finally:
            following.cancel()
            await asyncio.wait([following])
