"""Reading the topic of deletions: which sessions are to be forgotten.

The key of a record alone decides: whatever its value has become, or of whatever version it is, the session is deleted.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from undertone.codec import decode
from undertone.errors import PoisonError
from undertone.events import Deletion
from undertone.identifiers import is_session_id
from undertone.kafka import open_reader, read_to_end
from undertone.settings import Settings
from undertone.topics import DELETIONS


def deletion_of(
    key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]], at_ms: int
) -> Deletion | None:
    """The deletion in a record written at ``at_ms``, or None where the key names no session or nothing is said."""
    session_id = (key or b"").decode(errors="replace")
    if value is None or not is_session_id(session_id):
        return None
    try:
        event = decode(value, headers)
        if isinstance(event, Deletion) and event.session_id == session_id:
            return event
    except PoisonError:
        pass
    return Deletion(
        session_id=session_id, requested_at=datetime.fromtimestamp(at_ms / 1000, tz=UTC), requested_by="unknown"
    )


async def read_deletions(settings: Settings, partitions: Sequence[int] | None = None) -> dict[str, Deletion]:
    """Every deletion there is now in ``partitions`` (default: all), by session. Raises ``TransientError``."""
    found = {}
    async with open_reader(settings, [DELETIONS], partitions) as reader:
        async for record in read_to_end(reader):
            deletion = deletion_of(record.key, record.value, record.headers, record.timestamp)
            if deletion is not None:
                found[deletion.session_id] = deletion
    return found
