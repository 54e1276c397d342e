"""Reads the topic of deletions: which sessions are to be forgotten.

A record deletes the session of its key if its value is a deletion of that session, and else nothing. It takes no
deletion back either: who has read one keeps it, whatever comes later under the same key.
"""

import logging
from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from undertone.codec import decode
from undertone.errors import NewerError, PoisonError
from undertone.events import Deletion, Event
from undertone.kafka import open_reader, read_to_end
from undertone.settings import Settings
from undertone.topics import DELETIONS

log = logging.getLogger(__name__)


def deletion_of(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Deletion | None:
    """The deletion in a record; None for a tombstone. Raises ``PoisonError`` if the record says anything else.

    A deletion of a newer version counts where it still says what ours says: a worker that is upgraded last must not
    show what was deleted.
    """
    if value is None:
        return None
    try:
        event: Event = decode(value, headers)
    except NewerError:
        event = _read_newer(value, dict(headers))
    if not isinstance(event, Deletion) or event.session_id.encode() != key:
        raise PoisonError(f"the record under the key {key!r} is no deletion of that session, and deletes nothing")
    return event


def _read_newer(value: bytes, headers: dict[str, bytes]) -> Deletion:
    if not headers["schema"].startswith(b"undertone.deletion/"):
        raise PoisonError("the record is no deletion, and deletes nothing")
    try:
        return Deletion.model_validate_json(value)
    except ValidationError as error:
        raise NewerError("the record is a deletion that only a newer program reads: upgrade it") from error


async def read_deletions(settings: Settings, partitions: Sequence[int] | None = None) -> dict[str, Deletion]:
    """Every deletion there is now in ``partitions`` (default: all), by session; what is none is logged.

    Raises ``TransientError``.
    """
    found = {}
    async with open_reader(settings, [DELETIONS], partitions) as reader:
        async for record in read_to_end(reader):
            try:
                deletion = deletion_of(record.key, record.value, record.headers)
            except PoisonError as error:
                log.warning("%s, partition %d, offset %d: %s", record.topic, record.partition, record.offset, error)
                continue
            if deletion is not None:
                found[deletion.session_id] = deletion
    return found
