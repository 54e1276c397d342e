"""What the log of audio holds of each session, as far as this process has read it, and which of its own records count.

Acknowledgements rest on this: a record is acknowledged when it has been read back and counts
(``undertone.session_log``). Other ingest processes write to the same log, so being durable is not enough.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from undertone.errors import Refusal
from undertone.events import Session
from undertone.records import AudioRecord, Close
from undertone.session_log import LogState, state_at_resume


class Watch:
    """One connection of this process, as the log has it. Each wait raises ``Refusal`` once it no longer counts."""

    def __init__(self, connection: str) -> None:
        self.connection = connection
        self.is_open = False
        self._reached = 0
        self._is_closed = False
        self._refusal: Refusal | None = None
        self._changed = asyncio.Event()

    def see(self, record: AudioRecord, before: LogState, after: LogState) -> None:
        """Take in the next record of the session's log, and the states around it."""
        if self._refusal is not None or self._is_closed:
            return
        if record.connection != self.connection:
            if self.is_open and after.connection != self.connection:
                self._refusal = taken_over()
        elif before.is_stopped:
            self._refusal = stopped(before.expected)
        elif after.connection != self.connection:
            self._refusal = _late()
        else:
            self.is_open = True
            self._is_closed = isinstance(record, Close) and after.is_stopped
            if record.end <= after.expected:
                self._reached = max(self._reached, record.end)
        self._changed.set()
        self._changed = asyncio.Event()

    async def opens(self) -> None:
        """Return when its ``Open`` has been read back and made it the current connection."""
        await self._until(lambda: self.is_open)

    async def reaches(self, sample: int) -> None:
        """Return when all its samples below ``sample`` have been read back and count."""
        await self._until(lambda: self._reached >= sample)

    async def closes(self) -> None:
        """Return when its ``Close`` has been read back and stops the session."""
        await self._until(lambda: self._is_closed)

    def check(self) -> None:
        """Raise ``Refusal`` if the connection no longer counts."""
        if self._refusal is not None:
            raise self._refusal

    async def counts_no_more(self) -> None:
        """Never return: raise when the connection no longer counts."""
        await self._until(lambda: False)

    async def _until(self, is_true: Callable[[], bool]) -> None:
        while not is_true():
            self.check()
            await self._changed.wait()


class AudioLog:
    """The state of each session's log. ``known`` gives the session's record as the transcriber last wrote it."""

    def __init__(self, known: Callable[[str], Session | None]) -> None:
        self._known = known
        self._states: dict[str, tuple[int, LogState]] = {}
        self._watches: dict[str, list[Watch]] = {}

    def apply(self, session_id: str, offset: int, record: AudioRecord) -> None:
        """Take in the next record of a partition; one that was taken in before changes nothing."""
        at, before = self._at(session_id)
        if offset < at:
            return
        after = before.after(offset, record)
        self._states[session_id] = offset + 1, after
        for watch in self._watches.get(session_id, ()):
            watch.see(record, before, after)

    def state(self, session_id: str) -> LogState:
        """The session's state behind the last record that was read."""
        return self._at(session_id)[1]

    @contextmanager
    def watch(self, session_id: str, connection: str) -> Iterator[Watch]:
        """Watch one connection during the block, which must begin before its ``Open`` is written.

        From here on the session's state is what this process reads. The transcriber may be quicker: its record of a
        boundary that the ``Open`` makes can come before the ``Open`` itself, and would hide it.
        """
        watch = Watch(connection)
        self._states.setdefault(session_id, self._at(session_id))
        self._watches.setdefault(session_id, []).append(watch)
        try:
            yield watch
        finally:
            self._watches[session_id].remove(watch)
            if not self._watches[session_id]:
                del self._watches[session_id]

    def forget(self, is_wanted: Callable[[str], bool]) -> None:
        """Drop the sessions that are no longer wanted and that nobody watches."""
        self._states = {
            session_id: at
            for session_id, at in self._states.items()
            if session_id in self._watches or is_wanted(session_id)
        }

    def _at(self, session_id: str) -> tuple[int, LogState]:
        """The next offset and the state there: as read here, at first as the transcriber knows it."""
        if (at := self._states.get(session_id)) is not None:
            return at
        session = self._known(session_id)
        return (0, LogState()) if session is None else (session.resume.offset, state_at_resume(session))


def taken_over() -> Refusal:
    """The answer to a recorder when another one speaks for its session."""
    return Refusal("taken_over", "another recorder has taken this session over: only one may speak for it", status=409)


def stopped(samples: int) -> Refusal:
    """The answer to audio for a session that was stopped."""
    return Refusal("session_ended", f"the session was stopped at sample {samples}: start a new one", status=409)


def _late() -> Refusal:
    return Refusal(
        "start_late",
        "another recorder started in this session while this start was on its way: start again",
        status=409,
        retryable=True,
        retry_after_ms=100,
    )
