"""What a publisher promises while Kafka hangs or is gone: each record once, and an answer to whoever waits for one."""

import asyncio
from contextlib import AsyncExitStack, nullcontext

import pytest

from tests.examples import SESSION_ID
from tests.freezing import frozen
from tests.ingest_serving import pcm, read_log
from tests.waiting import until
from undertone.errors import TransientError
from undertone.kafka import REQUEST_WITHIN_S, open_publisher
from undertone.local.kafka import EmbeddedKafka
from undertone.records import Audio
from undertone.retry import retry
from undertone.settings import Settings


def second(number: int) -> Audio:
    """The ``number``-th second of a session."""
    return Audio(SESSION_ID, "a", number * 16_000, pcm(number * 16_000, 16_000))


async def test_what_is_sent_again_lies_in_the_log_once(
    own_kafka: EmbeddedKafka, alone: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker that hangs has the record already when the producer, without an answer, sends it once more."""
    async with open_publisher(alone) as publisher:
        await publisher.publish_audio(second(0))
        with frozen(own_kafka.child.pid):
            sent = asyncio.ensure_future(await publisher.submit_audio(second(1)))
            given_up = "Got error produce response: [Error 7] RequestTimedOutError"
            await until(lambda: given_up in caplog.text, 20, "the producer gives the first try up")
        await sent
    log = await retry(lambda: read_log(alone, SESSION_ID))  # the broker is back in its cluster a moment later
    assert [record.at for record in log if isinstance(record, Audio)] == [0, 16_000]


@pytest.mark.parametrize("kafka", ["hangs", "is gone"])
async def test_whoever_waits_is_told_when_it_closes(own_kafka: EmbeddedKafka, alone: Settings, kafka: str) -> None:
    """Of more records than go in one batch: the first is on its way, the second taken in, the others wait for room."""
    stack = AsyncExitStack()
    publisher = await stack.enter_async_context(open_publisher(alone))
    await publisher.publish_audio(second(0))
    with frozen(own_kafka.child.pid) if kafka == "hangs" else nullcontext():
        if kafka == "is gone":
            own_kafka.child.kill()
        writing = [asyncio.create_task(publisher.publish_audio(second(number))) for number in range(1, 5)]
        await until(lambda: publisher._sent, 5, "the first is on its way")
        closing = asyncio.create_task(stack.aclose())
        told, untold = await asyncio.wait(writing, timeout=REQUEST_WITHIN_S + 2)
    await closing
    for task in untold:
        task.cancel()
    assert untold == set()
    assert {type(task.exception()) for task in told} == {TransientError}
