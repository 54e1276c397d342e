"""Kafka and PostgreSQL behind TLS and passwords: every client of ours gets in by its settings, and none without."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr

from dashboards.app import make_app
from storage.migrations import upgrade
from tests.certificates import Certificate, make_certificate
from tests.conftest import running
from tests.ingest_serving import START, frame, heard, pcm, read_log, read_until, serve_ingest, tell
from tests.viewing import served, watching
from tests.waiting import until
from undertone.bootstrap import apply_topics, check_kafka
from undertone.errors import FatalError
from undertone.kafka import open_publisher
from undertone.local.environment import kafka_environment
from undertone.local.kafka import EmbeddedKafka
from undertone.local.kafka_properties import render
from undertone.local.parts import Program
from undertone.local.ports import LOOPBACK, free_ports
from undertone.settings import Settings

START_S = 60
USER, PASSWORD = "speaker", "the right word"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def secured_kafka(
    tmp_path_factory: pytest.TempPathFactory, kafka_jars: Path, certificate: Certificate
) -> Iterator[str]:
    """The address of a broker's listener with TLS that asks for a password (SCRAM)."""
    (port,) = free_ports(1)
    overrides: dict[str, str] = {}
    folder = tmp_path_factory.mktemp("secured")
    server = EmbeddedKafka(folder, kafka_jars, overrides)
    plain, controller = server.brokers, server._controller_port
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    overrides |= {
        "listeners": f"BROKER://{plain},SECURE://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller}",
        "advertised.listeners": f"BROKER://{plain},SECURE://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "BROKER:SASL_PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:SASL_PLAINTEXT",
        "listener.name.secure.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.secure.scram-sha-512.sasl.jaas.config": login,
        "listener.name.secure.ssl.keystore.type": "PEM",
        "listener.name.secure.ssl.keystore.location": str(certificate.both()),
    }
    with running(server):
        add_user = [
            *server._java(),
            *("kafka.admin.ConfigCommand", "--bootstrap-server", plain, "--alter"),
            *("--command-config", str(client_file(server, folder / "client.properties"))),
            *("--entity-type", "users", "--entity-name", USER),
            *("--add-config", f"SCRAM-SHA-512=[password={PASSWORD}]"),
        ]
        subprocess.run(add_user, cwd=folder / "kafka", check=True, capture_output=True, timeout=120)
        yield f"{LOOPBACK}:{port}"


def client_file(server: EmbeddedKafka, path: Path) -> Path:
    """What Kafka's own commands log in with at the broker's first listener."""
    reached = server.reached(Settings())
    assert reached.kafka_password is not None
    password = reached.kafka_password.get_secret_value()
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    given = {
        "security.protocol": reached.kafka_security,
        "sasl.mechanism": reached.kafka_mechanism,
        "sasl.jaas.config": f'{login} username="{reached.kafka_user}" password="{password}";',
    }
    path.write_text(render(given))
    return path


@asynccontextmanager
async def tls_in_front_of(url: str, certificate: Certificate) -> AsyncIterator[str]:
    """PostgreSQL behind TLS, since the embedded one is built without: the address by which it is reached so."""
    server = urlsplit(url)
    context = certificate.server_context()
    open_: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_.add(task)
        try:
            if await reader.readexactly(8) != b"\x00\x00\x00\x08\x04\xd2\x16\x2f":  # SSLRequest
                return  # who does not ask for TLS is not answered
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(context)
            inner_reader, inner_writer = await asyncio.open_connection(server.hostname, server.port)
            with contextlib.closing(inner_writer):
                await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            open_.discard(task)

    listening = await asyncio.start_server(serve, LOOPBACK, 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield url.replace(f":{server.port}/", f":{port}/")
    finally:
        listening.close()
        for task in open_:
            task.cancel()
        await asyncio.gather(*open_)


@pytest.fixture
def secured(settings: Settings, secured_kafka: str, certificate: Certificate) -> Settings:
    """Settings by which the broker lets us in."""
    return settings.model_copy(
        update={
            "kafka": secured_kafka,
            "kafka_security": "SASL_SSL",
            "kafka_mechanism": "SCRAM-SHA-512",
            "kafka_user": USER,
            "kafka_password": SecretStr(PASSWORD),
            "kafka_ca": certificate.certificate,
        }
    )


def archivist_of(settings: Settings, folder: Path) -> Program:
    """A worker on Faust, as a process, that has these settings by its environment."""
    (port,) = free_ports(1)
    environment = {
        **os.environ,
        **kafka_environment(settings),
        "UNDERTONE_HOME": str(settings.home),
        "UNDERTONE_HEALTH_PORT": str(port),
        "UNDERTONE_TOPIC_PREFIX": settings.topic_prefix,
        "UNDERTONE_PARTITIONS": str(settings.partitions),
        "UNDERTONE_DATABASE": settings.database_url(),
    }
    (folder / "logs").mkdir()
    return Program("archivist", ["worker", "archivist"], folder, lambda: environment, (LOOPBACK, port))


async def test_who_has_another_password_or_trusts_another_authority_stays_outside(
    secured: Settings, tmp_path: Path
) -> None:
    await check_kafka(secured)
    with pytest.raises(FatalError, match=r"refuses the user 'speaker'.*UNDERTONE_KAFKA_PASSWORD"):
        await check_kafka(secured.model_copy(update={"kafka_password": SecretStr("another")}))
    other = make_certificate(tmp_path / "other").certificate
    for changes in ({"kafka_ca": other}, {"kafka_ca": None}, {"kafka_security": "PLAINTEXT"}):
        with pytest.raises(FatalError, match="cannot be reached"):
            await check_kafka(secured.model_copy(update=changes))


async def test_a_session_goes_through_every_client_with_tls_and_passwords(
    secured: Settings, database: str, certificate: Certificate, tmp_path: Path
) -> None:
    async with tls_in_front_of(database, certificate) as url:
        checked = f"{url}?sslmode=verify-full&sslrootcert={certificate.certificate}"
        settings = secured.model_copy(update={"database": SecretStr(checked)})
        await apply_topics(settings)
        await asyncio.to_thread(upgrade, checked)
        archivist = archivist_of(settings, tmp_path)
        try:
            async with asyncio.timeout(START_S):
                await archivist.start()
            async with serve_ingest(settings) as ingest:
                made = await ingest.make(title="kept")
                async with ingest.connect(made) as socket:
                    await socket.send(str(START).replace("'", '"'))
                    await read_until(socket, "ready")
                    await socket.send(frame(0))
                    assert await read_until(socket, "ack") == {"type": "ack", "next_sample": 1600}
            assert heard(await read_log(settings, made.session_id))[0] == pcm(0, 1600)
            async with served(make_app(settings)) as address, httpx.AsyncClient(base_url=address) as http:
                async with watching(address, "/v1/events") as stream, open_publisher(settings) as publisher:
                    await tell(publisher, made.session_id, state="live", title="kept")
                    assert (await stream.until("session", session_id=made.session_id))["title"] == "kept"

                async def is_stored() -> bool:
                    listed = (await http.get("/v1/sessions")).json().get("sessions", [])
                    return [session["title"] for session in listed] == ["kept"]

                await until(is_stored, 30, "the archivist has stored the session")
        finally:
            await archivist.stop(5)


async def test_a_postgres_with_another_certificate_is_not_believed_nor_waited_for(
    database: str, certificate: Certificate, tmp_path: Path
) -> None:
    other = make_certificate(tmp_path / "other").certificate
    async with tls_in_front_of(database, certificate) as url:
        with pytest.raises(FatalError, match=r"correct sslrootcert.*certificate verify failed"):
            await asyncio.to_thread(upgrade, f"{url}?sslmode=verify-full&sslrootcert={other}")
        with pytest.raises(FatalError, match="cannot be checked"):
            await asyncio.to_thread(upgrade, f"{url}?sslmode=verify-full&sslrootcert={tmp_path / 'none.pem'}")
    with pytest.raises(FatalError, match="speaks no TLS"):
        await asyncio.to_thread(upgrade, f"{database}?sslmode=require")
