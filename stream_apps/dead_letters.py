"""Records that cannot be processed are put aside, with why and with their original bytes, so that the rest goes on."""

from datetime import UTC, datetime

import undertone
from stream_apps.deliveries import Delivery
from stream_apps.presence import Outputs, hopeless_is_fatal
from undertone.codec import encode
from undertone.events import DeadLetter
from undertone.kafka import MAX_RECORD_BYTES
from undertone.retry import retry
from undertone.topics import DEAD_LETTERS

MAX_HEADER_BYTES = 4000
MAX_VALUE_BYTES = MAX_RECORD_BYTES - 20_000


class DeadLetters:
    """Writes dead letters: the original key, value and headers, plus one header ``dead-letter`` that says why."""

    def __init__(self, app: str, outputs: Outputs) -> None:
        self._app = app
        self._outputs = outputs

    async def put(self, delivery: Delivery, error: Exception) -> None:
        """Put a record aside; durable on return."""
        letter = DeadLetter(
            app=self._app,
            topic=delivery.topic.name,
            partition=delivery.partition,
            offset=delivery.offset,
            at=datetime.now(UTC),
            error=f"{type(error).__name__}: {error}"[:MAX_HEADER_BYTES],
            version=undertone.__version__,
        )
        why, _ = encode(letter)
        key = delivery.key or b""
        headers = [*delivery.headers, ("dead-letter", why)]
        value = delivery.value or b""
        if len(value) > MAX_VALUE_BYTES:
            headers.append(("dead-letter-cut", str(len(value)).encode()))
            value = value[:MAX_VALUE_BYTES]

        async def write() -> int:
            self._outputs.presence.check()
            place_by = key.decode(errors="replace")
            with hopeless_is_fatal():
                return await self._outputs.publisher.write(DEAD_LETTERS, place_by, key, value, headers)

        await retry(write)
