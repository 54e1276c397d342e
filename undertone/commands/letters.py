"""Reading the topic of dead letters."""

from dataclasses import dataclass

from undertone.bootstrap import check_kafka
from undertone.codec import JSON, VERSION, decode
from undertone.errors import PoisonError
from undertone.events import DeadLetter
from undertone.kafka import open_reader, read_to_end
from undertone.settings import Settings
from undertone.topics import DEAD_LETTERS

_SCHEMA = [("schema", f"undertone.dead_letter/{VERSION}".encode()), ("content-type", JSON)]


@dataclass(frozen=True)
class Letter:
    """A record that was put aside: its key as text, the length of its value, and why."""

    key: str
    size_bytes: int
    why: DeadLetter


async def read_letters(settings: Settings) -> list[Letter]:
    """All dead letters there are, oldest first. Raises ``FatalError`` if Kafka cannot be reached."""
    await check_kafka(settings)
    letters = []
    async with open_reader(settings, [DEAD_LETTERS]) as reader:
        async for record in read_to_end(reader):
            why = _why(dict(record.headers).get("dead-letter"))
            if why is not None:
                letters.append(Letter((record.key or b"").decode(errors="replace"), len(record.value or b""), why))
    return sorted(letters, key=lambda letter: letter.why.at)


def _why(value: bytes | None) -> DeadLetter | None:
    try:
        event = decode(value, _SCHEMA)
    except PoisonError:
        return None
    return event if isinstance(event, DeadLetter) else None
