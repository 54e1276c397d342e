"""The transcriber: the log of audio in; finals, marks, partials and session records out.

Each session of the assigned partitions has a stenographer; this app hands records to them, closes sessions that are
silent on the wire, bounds what waits unsettled, and reports itself.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Protocol

from models.speech.load import load_engine
from models.speech.scheduler import Scheduler
from models.speech.segmenter import SegmentRules
from models.speech.voice_activity import load_voice_activity
from stream_apps import metrics
from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import Delivery
from stream_apps.listener import Entry
from stream_apps.memory import CompactedMemory
from stream_apps.patience import Streak
from stream_apps.presence import Outputs
from stream_apps.reading import read_audio
from stream_apps.stenographer import Desk, Stenographer
from undertone.audio import to_samples
from undertone.background import BackgroundTasks
from undertone.consumer_groups import TRANSCRIBER
from undertone.errors import FatalError, TransientError
from undertone.events import Deletion, Session, Worker
from undertone.identifiers import session_created_at
from undertone.records import Close
from undertone.retry import retry
from undertone.settings import Settings
from undertone.topics import AUDIO, SESSIONS, WORKERS, Topic

log = logging.getLogger(__name__)

UNSETTLED_AT_MOST = to_samples(90_000)
UNSETTLED_AGAIN = to_samples(60_000)
REPORT_EVERY_S = 1.0
AWAY_S = 5.0


class Tap(Protocol):
    """What the transcriber asks of its adapter."""

    def pause(self, partition: int) -> None: ...
    def resume(self, partition: int) -> None: ...
    def fail(self, error: BaseException) -> None: ...


class Transcriber:
    """See the module. ``attach`` must be called before records come."""

    name = TRANSCRIBER
    inputs: Sequence[Topic] = (AUDIO,)

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self._desk = desk
        self._idle_after_s = settings.idle_after_s
        self._worker = settings.worker_id or f"{self.name}-{socket.gethostname()}-{os.getpid()}"
        self._stenographers: dict[tuple[int, str], Stenographer] = {}
        self._tasks: dict[Stenographer, asyncio.Task[None]] = {}
        self._crowded: set[Stenographer] = set()
        self._tap: Tap | None = None

    def attach(self, tap: Tap) -> None:
        """Where to pause partitions and to report failures."""
        self._tap = tap

    async def assign(self, partitions: frozenset[int]) -> None:
        """Read back the memory; sessions that were going on are followed, so that silent ones come to an end."""
        memory = self._desk.memory
        memory.forget()
        await retry(lambda: memory.read_back(partitions))
        for partition in partitions:
            for session in memory.all(partition):
                if session.state in {"open", "live"}:
                    self._follow(partition, session)

    async def revoke(self) -> None:
        """Drop everything: decodes that run end unheard, the log has the audio."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._stenographers.clear()
        self._crowded.clear()
        self._desk.memory.forget()

    async def receive(self, delivery: Delivery) -> None:
        """Hand the record to its session's stenographer; never waits for a decode."""
        record = read_audio(delivery)
        stenographer = self._stenographers.get((delivery.partition, record.session_id))
        if stenographer is None:
            session = self._desk.memory.get(delivery.partition, record.session_id) or Session(
                session_id=record.session_id, created_at=session_created_at(record.session_id)
            )
            stenographer = self._follow(delivery.partition, session)
        stenographer.take(Entry(delivery.offset, delivery.timestamp_ms, record), delivery.settle)
        if stenographer.unsettled_samples > UNSETTLED_AT_MOST and stenographer not in self._crowded:
            self._crowded.add(stenographer)
            self._tapped.pause(stenographer.partition)

    async def forget(self, partition: int, deletion: Deletion) -> None:
        """Stop hearing the session; its record says from now on that it is deleted, and nothing else."""
        memory = self._desk.memory
        stenographer = self._stenographers.pop((partition, deletion.session_id), None)
        if stenographer is not None:
            task = self._tasks.pop(stenographer)
            task.cancel()
            await asyncio.wait([task])
            metrics.SESSIONS.set(len(self._stenographers))
        known = memory.get(partition, deletion.session_id)
        if known is None or known.state != "deleted":
            # One more than the last known: the stenographer may have stored a record of which it did not learn.
            await memory.put(partition, deletion.forgotten(seq=(known.seq if known else 0) + 1))
        if stenographer is not None:
            stenographer.abandon()

    async def attend(self) -> None:
        """Every second: close what is silent on the wire, and report. Runs for ever."""
        looked_s = time.monotonic()
        while True:
            now_s = time.monotonic()
            if now_s - looked_s > AWAY_S:  # Kafka was away: what sounds like silence is not the recorders'
                for stenographer in self._stenographers.values():
                    stenographer.last_heard_s += now_s - looked_s
            looked_s = now_s
            for key, stenographer in list(self._stenographers.items()):
                if self._stenographers.get(key) is stenographer:
                    await self._close_if_idle(stenographer)
            with suppress(TransientError):
                report = self._report()
                await self._desk.outputs.publisher.publish(WORKERS, self._worker, report)
            await asyncio.sleep(REPORT_EVERY_S)

    @property
    def _tapped(self) -> Tap:
        assert self._tap is not None, "attach() comes before the first record"
        return self._tap

    def _follow(self, partition: int, session: Session) -> Stenographer:
        stenographer = Stenographer(session, partition, self._desk, self._on_settled)
        self._stenographers[partition, session.session_id] = stenographer
        task = asyncio.create_task(stenographer.write())
        self._tasks[stenographer] = task
        task.add_done_callback(lambda task: self._on_stopped(stenographer, task))
        metrics.SESSIONS.set(len(self._stenographers))
        return stenographer

    def fail(self, error: BaseException) -> None:
        """Stop the worker: something of this app has failed for good."""
        self._tapped.fail(error)

    def _on_stopped(self, stenographer: Stenographer, task: asyncio.Task[None]) -> None:
        """A session's task has ended: unless it was let go of before, the worker stops."""
        if self._tasks.get(stenographer) is not task:
            return
        if task.cancelled():
            self.fail(
                FatalError(f"the task of session {stenographer.session_id} was cancelled: start the worker again")
            )
        elif (error := task.exception()) is not None:
            self.fail(error)

    def _on_settled(self, stenographer: Stenographer) -> None:
        if stenographer in self._crowded and stenographer.unsettled_samples < UNSETTLED_AGAIN:
            self._crowded.discard(stenographer)
            if not any(other.partition == stenographer.partition for other in self._crowded):
                self._tapped.resume(stenographer.partition)

    async def _close_if_idle(self, stenographer: Stenographer) -> None:
        if stenographer.is_done:
            self._dismiss(stenographer)
            return
        if not stenographer.is_idle or time.monotonic() - stenographer.last_heard_s < self._idle_after_s:
            return
        at, connection = stenographer.position
        stenographer.last_heard_s = time.monotonic()
        try:
            self._desk.outputs.presence.check()
            await self._desk.outputs.publisher.publish_audio(Close(stenographer.session_id, connection, at, "idle"))
        except TransientError as error:
            log.warning("session %s could not be closed: %s", stenographer.session_id, error)

    def _dismiss(self, stenographer: Stenographer) -> None:
        self._stenographers.pop((stenographer.partition, stenographer.session_id), None)
        self._tasks.pop(stenographer).cancel()
        metrics.SESSIONS.set(len(self._stenographers))

    def _report(self) -> Worker:
        scheduler = self._desk.scheduler
        backlog_s = scheduler.backlog_s + sum(steno.backlog_s for steno in self._stenographers.values())
        metrics.BACKLOG.set(backlog_s)
        heard = {steno.session_id: steno.position[0] for steno in self._stenographers.values()}
        return Worker(
            worker=self._worker,
            app=self.name,
            at=datetime.now(UTC),
            backlog_s=round(backlog_s, 2),
            speed=round(scheduler.speed, 2),
            replicas=scheduler.replicas,
            load=round(scheduler.demand, 3),
            model=scheduler.engine.name,
            heard=heard,
        )


@asynccontextmanager
async def open_transcriber(
    settings: Settings, outputs: Outputs, dead_letters: DeadLetters
) -> AsyncIterator[Transcriber]:
    """A transcriber with its engine loaded and warm. Raises ``FatalError`` if the weights cannot be had."""
    loop = asyncio.get_running_loop()
    engine = await loop.run_in_executor(None, load_engine, settings)
    await loop.run_in_executor(None, engine.warm)
    activity = load_voice_activity()

    def fail(failure: FatalError) -> None:
        transcriber.fail(failure)

    scheduler = Scheduler(
        engine, settings.replicas(), lambda urgency, s: metrics.DECODES.labels(urgency.name.lower()).observe(s), fail
    )
    with ThreadPoolExecutor(1, "voice") as ears:
        desk = Desk(
            scheduler=scheduler,
            outputs=outputs,
            memory=CompactedMemory(SESSIONS, Session, settings, outputs.put, dead_letters.put),
            dead_letters=dead_letters,
            streak=Streak(settings.poison_limit),
            rules=SegmentRules(endpoint=to_samples(settings.endpoint_ms)),
            start_voice=activity.listen,
            ears=ears,
            partials=settings.partials,
        )
        transcriber = Transcriber(desk, settings)
        scheduler.start()
        background = BackgroundTasks(fail)
        background.start("attend to sessions", transcriber.attend())
        try:
            yield transcriber
        finally:
            await background.stop()
            await scheduler.stop()
