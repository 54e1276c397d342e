"""Records that cannot be processed are put aside, with why and with their original bytes, so that the rest goes on."""

from datetime import UTC, datetime

import undertone
from stream_apps import metrics
from stream_apps.deliveries import GivenOut, Original
from stream_apps.presence import Outputs, hopeless_is_fatal
from undertone.events import DeadLetter
from undertone.letters import Letter, seal
from undertone.retry import retry
from undertone.topics import DEAD_LETTERS, Topic

MAX_ERROR = 4000


class DeadLetters:
    """Writes one app's dead letters."""

    def __init__(self, app: str, outputs: Outputs) -> None:
        self._app = app
        self._outputs = outputs

    async def partitions(self, topic: Topic) -> int:
        """How many partitions an input has. Raises ``TransientError`` while Kafka is away."""
        return await self._outputs.publisher.partitions(topic)

    async def put(self, record: Original, error: Exception) -> None:
        """Put a record aside; durable on return. Raises ``FatalError`` where Kafka will never take it."""
        text = f"{type(error).__name__}: {error}"[:MAX_ERROR]
        why = DeadLetter(
            app=self._app,
            topic=record.topic.name,
            partition=record.partition,
            offset=record.offset,
            at=datetime.now(UTC),
            error=text.encode(errors="replace").decode(),
            version=undertone.__version__,
            written_at=datetime.fromtimestamp(record.timestamp_ms / 1000, UTC),
            given_out=isinstance(error, GivenOut),
        )
        key, value, headers = seal(Letter(why, record.key, record.value, record.headers))

        async def write() -> int:
            self._outputs.presence.check()
            with hopeless_is_fatal():
                return await self._outputs.publisher.write(
                    DEAD_LETTERS, key.decode(errors="replace"), key, value, headers
                )

        await retry(write)
        metrics.DEAD_LETTERS.labels(self._app).inc()
