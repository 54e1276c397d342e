"""Runs a ``StreamApp`` on Faust: group membership, fetching and lifecycle are Faust's, all else is ours.

Faust's own acknowledgement is off (``acks=False``): it acknowledges records that a rebalance made it skip, and its gap
check lets a commit pass an unfinished record. So offsets are committed here, in order, from what apps have settled.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterable, Iterable
from typing import Any

import faust
from faust.types import EventT
from faust.types.auth import AuthProtocol, CredentialsT
from faust.types.tuples import TP
from mode import CrashingSupervisor

from stream_apps.acknowledgement import InOrder
from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import Delivery, StreamApp, clock_ms
from stream_apps.patience import Patience
from undertone.background import BackgroundTasks
from undertone.consumer_groups import group_name
from undertone.errors import PoisonError
from undertone.kafka import client_options, topic_name
from undertone.retry import retry
from undertone.settings import Settings

log = logging.getLogger(__name__)

COMMIT_EVERY_S = 0.5
STOP_WITHIN_S = 5.0
BUFFERED_RECORDS = 64


class Adapter:
    """One app on one Faust worker. ``failed`` resolves with the error that stops it.

    What the app calls poison goes to the dead letters, durable before the next record is taken.
    """

    def __init__(self, app: StreamApp, settings: Settings, dead_letters: DeadLetters) -> None:
        self._app = app
        self._dead_letters = dead_letters
        self._patience = Patience(settings.poison_limit)
        self._counts: dict[str, int] = {}
        self._topics = {topic_name(settings, topic): topic for topic in app.inputs}
        self._partitions: dict[TP, InOrder] = {}
        self._committed: dict[TP, int] = {}
        self._assigned = asyncio.Event()
        self._background = BackgroundTasks(self.fail)
        self._assigning: asyncio.Task[None] | None = None
        self._receiving: asyncio.Task[None] | None = None
        self._commands: set[asyncio.Future[None]] = set()
        self.failed: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.faust = _make_faust(app.name, settings)
        source = self.faust.topic(*self._topics, key_serializer="raw", value_serializer="raw", acks=False)
        self.faust.agent(source, name=app.name, concurrency=1)(self._consume)
        self.faust.on_partitions_revoked.connect(self._revoke)  # type: ignore[arg-type]
        self.faust.on_partitions_assigned.connect(self._assign)  # type: ignore[arg-type]

    async def start(self) -> None:
        """Join the group; returns once Faust runs. Assignments and records come from then on."""
        await self.faust.start()
        self._background.start("commit offsets", self._commit_for_ever())

    async def stop(self) -> None:
        """Let go: what is settled is committed, what is not will come again."""
        await self._background.stop()
        await self._let_go()
        await self.faust.stop()

    def why_not_ready(self) -> str | None:
        """None once the group has given this worker its partitions and their memory is read."""
        return None if self._assigned.is_set() else "waiting for the group to assign partitions"

    def pause(self, partition: int) -> None:
        """Fetch no more from a partition of the first input until ``resume``; what is fetched still comes."""
        self._command("pause", partition)

    def resume(self, partition: int) -> None:
        """Fetch again."""
        self._command("resume", partition)

    def fail(self, error: BaseException) -> None:
        """Something that the app started by itself has failed: the worker stops with this error."""
        if not self.failed.done():
            self.failed.set_exception(error)

    def _command(self, verb: str, partition: int) -> None:
        """Tell aiokafka, in Faust's thread for it: Faust's own pause drops records that it has fetched already."""
        topic = next(iter(self._topics))
        thread: Any = self.faust.consumer._thread  # type: ignore[attr-defined]  # noqa: SLF001

        async def act() -> None:
            consumer = thread._ensure_consumer()  # noqa: SLF001
            partitions = [tp for tp in consumer.assignment() if (tp.topic, tp.partition) == (topic, partition)]
            getattr(consumer, verb)(*partitions)

        task = asyncio.ensure_future(thread.call_thread(act))
        self._commands.add(task)
        task.add_done_callback(self._on_commanded)

    def _on_commanded(self, task: asyncio.Future[None]) -> None:
        self._commands.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    async def _consume(self, stream: Any) -> None:
        """The agent. Faust only sees that it never ends; records are settled elsewhere."""
        events: AsyncIterable[EventT[Any]] = stream.noack().events()
        async for event in events:
            await self._assigned.wait()
            message = event.message
            order = self._partitions.get(message.tp)
            if order is None or message.generation_id != self.faust.consumer_generation_id:
                continue  # of an assignment that has gone; whoever has the partition now reads it again
            order.deliver(message.offset)
            offset = message.offset
            delivery = Delivery(
                topic=self._topics[message.topic],
                partition=message.partition,
                offset=offset,
                timestamp_ms=clock_ms(message.timestamp * 1000),
                key=message.key,
                value=message.value,
                headers=_headers(message.headers),
                partitions=self._counts[message.topic],
                settle=lambda order=order, offset=offset: order.settle(offset),  # type: ignore[misc]
            )
            await self._receive(delivery)

    async def _receive(self, delivery: Delivery) -> None:
        """Let the app take a record; whoever lets go of the partitions may cancel that."""
        self._receiving = asyncio.create_task(self._take(delivery))
        try:
            await asyncio.wait({self._receiving})
        except asyncio.CancelledError:
            self._receiving.cancel()
            raise
        if not self._receiving.cancelled() and (error := self._receiving.exception()) is not None:
            self.fail(error)
            # Not raised: Faust acknowledges what an agent failed at, and shuts down under a commit that is on its way.
            await asyncio.Event().wait()

    async def _take(self, delivery: Delivery) -> None:
        try:
            await self._app.receive(delivery)
        except PoisonError as error:
            await self._dead_letters.put(delivery, error)
            self._patience.lose(delivery, error)
        else:
            self._patience.regain(delivery)

    async def _assign(self, _: Any, assigned: set[TP], **__: Any) -> None:
        self._partitions = {tp: InOrder() for tp in assigned if tp.topic in self._topics}
        self._committed = {}
        numbers = frozenset(tp.partition for tp in self._partitions)
        # Not awaited: aiokafka sends no heartbeats until this callback returns, and a memory may be long to read.
        self._assigning = asyncio.create_task(self._take_over(numbers))

    async def _take_over(self, partitions: frozenset[int]) -> None:
        try:
            for name, topic in self._topics.items():
                self._counts[name] = await retry(lambda topic=topic: self._dead_letters.partitions(topic))  # type: ignore[misc]
            await self._app.assign(partitions)
        except Exception as error:
            self.fail(error)
            raise
        self._assigned.set()
        log.info("%s holds partitions %s", self._app.name, sorted(partitions))

    async def _revoke(self, _: Any, revoked: set[TP], **__: Any) -> None:
        del revoked  # all of them: nothing is kept over a rebalance
        await self._let_go()

    async def _let_go(self) -> None:
        self._assigned.clear()
        if self._assigning is not None:
            self._assigning.cancel()
            await asyncio.wait({self._assigning})
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                if self._receiving is not None and not self._receiving.done():
                    await asyncio.wait({self._receiving})
                await self._app.revoke()
        except TimeoutError:
            log.warning("%s did not let go within %s s; the log has what it held", self._app.name, STOP_WITHIN_S)
            if self._receiving is not None:
                self._receiving.cancel()
                await asyncio.wait({self._receiving})
            await self._app.revoke()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await self._commit()
        except TimeoutError:
            log.warning("%s could not commit; what is settled will come again and change nothing", self._app.name)
        self._partitions = {}
        self._patience.forget()

    async def _commit_for_ever(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_EVERY_S)
            await self._commit()

    async def _commit(self) -> None:
        offsets = {
            tp: order.committable
            for tp, order in self._partitions.items()
            if order.committable is not None and order.committable != self._committed.get(tp)
        }
        consumer: Any = self.faust.consumer
        if offsets and await consumer._commit(offsets):  # noqa: SLF001 - the public one commits Faust's own acks
            self._committed |= offsets


class _App(faust.App):
    """Faust's app without folders: it has no tables to keep, and a folder has a name that another user could take."""

    def _create_directories(self) -> None:
        """Create nothing."""


def _headers(headers: Any) -> list[tuple[str, bytes]]:
    pairs: Iterable[tuple[str, bytes]] = headers.items() if isinstance(headers, dict) else headers or ()
    return list(pairs)


def _make_faust(name: str, settings: Settings) -> faust.App:
    timeout_s = settings.session_timeout_ms / 1000
    brokers = ";".join(f"kafka://{broker}" for broker in settings.brokers().split(","))
    return _App(
        group_name(settings, name),
        broker=brokers,
        broker_credentials=_credentials(settings),
        broker_session_timeout=timeout_s,
        broker_heartbeat_interval=timeout_s / 5,
        broker_request_timeout=max(40.0, timeout_s + 5),
        broker_rebalance_timeout=max(20.0, timeout_s),
        broker_max_poll_records=BUFFERED_RECORDS,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.worker_id,
        consumer_max_fetch_size=1 << 20,
        stream_buffer_maxsize=BUFFERED_RECORDS,
        stream_wait_empty=False,
        agent_supervisor=CrashingSupervisor,
        producer_acks=-1,
        store="memory://",
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )


def _credentials(settings: Settings) -> CredentialsT | None:
    context: ssl.SSLContext | None = client_options(settings).get("ssl_context")
    if settings.kafka_security.startswith("SASL"):
        secret = settings.kafka_password.get_secret_value() if settings.kafka_password else None
        credentials = faust.SASLCredentials(
            mechanism=settings.kafka_mechanism, username=settings.kafka_user, password=secret, ssl_context=context
        )
        if context is None:
            credentials.protocol = AuthProtocol.SASL_PLAINTEXT
        return credentials
    return faust.SSLCredentials(context=context) if context is not None else None
