"""Makes an app obey deletions: nothing of a deleted session reaches it, from before its first record on.

The topic of deletions is one more input, whose records are settled once the app has forgotten: so a worker that is
killed on the way forgets when it comes back. It is also read back after each assignment, since the record that a
deletion concerns may come before it.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from stream_apps.deliveries import Delivery, StreamApp
from undertone.deletions import deletion_of, read_deletions
from undertone.events import Deletion
from undertone.identifiers import session_of_key
from undertone.retry import retry
from undertone.settings import Settings
from undertone.topics import DELETIONS, Topic


@runtime_checkable
class Forgetful(StreamApp, Protocol):
    """An app that can forget a session."""

    async def forget(self, partition: int, deletion: Deletion) -> None:
        """Give out nothing more of the session, and keep nothing; durable on return, and may be asked again."""


class Obedient:
    """The app, obeying deletions. An app in itself."""

    def __init__(self, app: Forgetful, settings: Settings) -> None:
        self.app = app
        self.name = app.name
        self.inputs: Sequence[Topic] = (*app.inputs, DELETIONS)
        self._settings = settings
        self._deleted: set[str] = set()

    def attach(self, host: object) -> None:
        """Tell the app who runs it, if it asks."""
        if hasattr(self.app, "attach"):
            self.app.attach(host)

    async def assign(self, partitions: frozenset[int]) -> None:
        """Read back which sessions are deleted, then what the app remembers."""
        self._deleted = set(await retry(lambda: read_deletions(self._settings, sorted(partitions))))
        await self.app.assign(partitions)

    async def receive(self, delivery: Delivery) -> None:
        """Hand on what is of no deleted session. Raises ``PoisonError`` for a deletion that is none."""
        if delivery.topic is DELETIONS:
            deletion = deletion_of(delivery.key, delivery.value, delivery.headers)
            if deletion is not None:
                self._deleted.add(deletion.session_id)
                await self.app.forget(delivery.partition, deletion)
            delivery.settle()
        elif session_of_key(delivery.key) in self._deleted:
            delivery.settle()
        else:
            await self.app.receive(delivery)

    async def revoke(self) -> None:
        """Let go of everything."""
        await self.app.revoke()
        self._deleted.clear()
