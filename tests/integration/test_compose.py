"""docker-compose.yml without Docker: each service's own command, with its own environment, on the embedded servers.

Only addresses change: the broker's, the database's, the folders of the image, and the ports, since here all
services share one machine.
"""

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.compose import ROOT, Request, UnsetError, read_compose, route
from tests.waiting import until
from undertone.local.environment import kafka_environment
from undertone.local.kafka import EmbeddedKafka
from undertone.local.ports import free_ports
from undertone.local.web import goes_to_ingest
from undertone.settings import Settings

DOTENV = {"UNDERTONE_SECRET": "s" * 64, "UNDERTONE_DATABASE_PASSWORD": "p4ss"}
COMPOSE = read_compose(DOTENV)
OURS = {name: service for name, service in COMPOSE["services"].items() if str(service["image"]).startswith("undertone")}
PARTS = sorted(set(OURS) - {"setup"})
START_S = 90


@dataclass(frozen=True)
class Host:
    """Where the containers' addresses lie on this machine; ``kafka`` is how to log in there, as variables."""

    kafka: dict[str, str]
    database: str
    topic_prefix: str
    home: Path

    def environment(self, service: dict[str, Any], port: int) -> dict[str, str]:
        """The service's own environment with addresses mapped, on top of this process's without our variables."""
        mapped = {}
        for name, value in service["environment"].items():
            mapped[name] = {
                "kafka:9092": self.kafka["UNDERTONE_KAFKA"],
                "postgresql://undertone:p4ss@postgres:5432/undertone": self.database,
                "/etc/undertone/keys": str(self.home / "keys"),
                "/var/spool/undertone": str(self.home),
                "0.0.0.0": "127.0.0.1",
                "8000": str(port),
                "8090": str(port),
            }.get(value, value)
        assert not re.search(r"kafka:|postgres:", " ".join(mapped.values())), f"an address that is nobody's: {mapped}"
        outer = {name: value for name, value in os.environ.items() if not name.startswith("UNDERTONE_")}
        return (
            outer
            | mapped
            | self.kafka
            | {
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "UNDERTONE_TOPIC_PREFIX": self.topic_prefix,
                "UNDERTONE_HOME": str(self.home),
                "UNDERTONE_CACHE": str(Settings().cache),
            }
        )


@pytest.fixture(scope="module")
def host(kafka: EmbeddedKafka, postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host on which the service ``setup`` has done its work."""
    name = f"compose_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        url = f"{postgres.rpartition('/')[0]}/{name}"
        found = Host(
            kafka_environment(kafka.reached(Settings())),
            url,
            f"compose-{uuid.uuid4().hex[:12]}",
            tmp_path_factory.mktemp("compose"),
        )
        done = subprocess.run(
            OURS["setup"]["command"],
            env=found.environment(OURS["setup"], 0),
            cwd=found.home,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        yield found
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@asynccontextmanager
async def running(command: list[str], environment: dict[str, str], log: Path, grace_s: int) -> AsyncIterator[Any]:
    """The process for the block, then SIGTERM; it must stop by itself within the grace period."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            yield process
            assert process.returncode is None, log.read_text()
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), grace_s) in {0, -signal.SIGTERM}, log.read_text()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@pytest.mark.parametrize("name", PARTS)
async def test_a_service_starts_becomes_ready_and_stops(name: str, host: Host) -> None:
    service = OURS[name]
    (port,) = free_ports(1)
    log = host.home / f"{name}.log"
    environment = host.environment(service, port)
    grace_s = int(service["stop_grace_period"].removesuffix("s"))
    asks_ready = _on_port(service["healthcheck"]["test"], port)
    asks_alive = [*asks_ready[:-1], asks_ready[-1].replace("/readyz", "/healthz")]
    async with running(service["command"], environment, log, grace_s) as process:

        async def is_ready() -> bool:
            if process.returncode is not None:
                pytest.fail(f"{name} ended: {log.read_text()}")
            return await _succeeds(asks_ready)

        ready: bool = await until(is_ready, START_S, f"{name} ready")
        assert ready
        assert await _succeeds(asks_alive)


def _on_port(test: list[str], port: int) -> list[str]:
    """The command of a health check, asked on the port that the service has here."""
    kind, program, *arguments = test
    assert (kind, program) == ("CMD", "python")
    changed = [re.sub(r"127\.0\.0\.1:\d+/readyz", f"127.0.0.1:{port}/readyz", argument) for argument in arguments]
    assert changed != arguments, "the health check asks no /readyz"
    return [sys.executable, *changed]


async def _succeeds(command: list[str]) -> bool:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return await process.wait() == 0


@pytest.mark.parametrize("name", OURS)
def test_a_service_sets_only_variables_that_exist(name: str) -> None:
    known = {f"UNDERTONE_{field.upper()}" for field in Settings.model_fields} | {"TMPDIR"}
    assert set(OURS[name]["environment"]) - known == set()


@pytest.mark.parametrize("name", PARTS)
def test_a_health_check_asks_the_port_that_the_service_listens_on(name: str) -> None:
    environment = OURS[name]["environment"]
    port = environment.get("UNDERTONE_HEALTH_PORT") or environment["UNDERTONE_PORT"]
    assert f"127.0.0.1:{port}/readyz" in OURS[name]["healthcheck"]["test"][-1]


def test_the_addresses_are_those_of_the_servers() -> None:
    services = COMPOSE["services"]
    assert services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].endswith("://kafka:9092")
    store = services["postgres"]["environment"]
    url = f"postgresql://{store['POSTGRES_USER']}:{store['POSTGRES_PASSWORD']}@postgres:5432/{store['POSTGRES_DB']}"
    assert OURS["archivist"]["environment"]["UNDERTONE_DATABASE"] == url
    assert OURS["dashboards"]["environment"]["UNDERTONE_DATABASE"] == url
    assert OURS["transcriber"]["deploy"]["replicas"] == 2


def test_one_service_builds_the_image_and_the_others_wait_for_it() -> None:
    assert [name for name, service in COMPOSE["services"].items() if "build" in service] == ["setup"]
    assert len({service["image"] for service in OURS.values()}) == 1
    for name in PARTS:
        assert OURS[name]["pull_policy"] == "never"
        assert OURS[name]["depends_on"]["setup"] == {"condition": "service_completed_successfully"}


def test_nothing_is_published_beyond_this_machine_unless_asked_for() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published), published
    opened = read_compose(DOTENV | {"UNDERTONE_BIND": "0.0.0.0"})["services"]["caddy"]["ports"]
    assert "0.0.0.0:443:443" in opened


@pytest.mark.parametrize("missing", DOTENV)
def test_compose_does_not_start_without_its_secrets(missing: str) -> None:
    with pytest.raises(UnsetError, match=missing):
        read_compose({name: value for name, value in DOTENV.items() if name != missing})


def test_the_example_of_dotenv_names_what_compose_reads() -> None:
    example = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    read = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    assert example == read


def test_the_services_and_volumes_that_are_named_exist() -> None:
    for name, service in COMPOSE["services"].items():
        assert set(service.get("depends_on", {})) <= set(COMPOSE["services"]), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).is_file(), f"{name}: {volume}"


def test_the_image_copies_every_package_and_leaves_out_only_what_is_pinned() -> None:
    lines = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    copied = [word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]]
    assert all((ROOT / source).exists() for source in copied)
    packages = re.search(r"^packages = \[(.*)\]$", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert packages is not None
    assert set(re.findall(r'"(\w+)"', packages[1])) <= set(copied)
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()}
    assert set(copied) <= kept, "the build's context lacks what is copied"
    pinned = set(re.findall(r"^([\w-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    (uninstall,) = [line for line in lines if "pip uninstall" in line]
    assert set(shlex.split(uninstall.split("--yes")[1])) <= pinned


CADDYFILE = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
SESSION = "/v1/sessions/0192a5c8-0000-7000-8000-000000000000"
REQUESTS = [
    Request("GET", f"{SESSION}/audio", {"Upgrade": "websocket"}),
    Request("GET", "/elsewhere", {"Upgrade": "websocket"}),
    *(Request(method, "/v1/sessions") for method in ("GET", "HEAD", "POST", "OPTIONS")),
    *(Request(method, SESSION) for method in ("GET", "PUT", "DELETE", "PATCH")),
    *(Request(method, f"{SESSION}/file") for method in ("POST", "PUT")),
    Request("POST", f"{SESSION}/audio"),
    Request("GET", f"{SESSION}/events"),
    Request("GET", "/v1/events"),
    Request("GET", "/"),
    Request("POST", "/login"),
    Request("GET", "/v1"),
    Request("POST", "/v10/sessions"),
]


@pytest.mark.parametrize("asked", REQUESTS, ids=lambda asked: f"{asked.method} {asked.path} {''.join(asked.headers)}")
def test_caddy_routes_as_one_origin_does(asked: Request) -> None:
    kind = "websocket" if asked.headers else "http"
    side = "ingest" if goes_to_ingest({"type": kind, "method": asked.method, "path": asked.path}) else "dashboards"
    assert route(CADDYFILE, asked) == f"reverse_proxy {side}:8000"


def test_both_sides_are_asked() -> None:
    assert {route(CADDYFILE, asked).split()[1] for asked in REQUESTS} == {"ingest:8000", "dashboards:8000"}


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_what_the_parts_tell_their_operators_is_not_public(path: str) -> None:
    assert route(CADDYFILE, Request("GET", path)) == "respond 404"


def test_caddy_takes_tokens_out_of_its_log() -> None:
    options = CADDYFILE.split("\n\n")[1]
    assert options.startswith("{\n")
    assert re.search(r"log default \{\s+format filter \{.*request>uri query \{\s+replace token -\s", options, re.DOTALL)


def test_caddy_sends_to_services_and_ports_that_exist() -> None:
    for name, port in re.findall(r"reverse_proxy (\w+):(\d+)", CADDYFILE):
        assert OURS[name]["environment"]["UNDERTONE_PORT"] == port


async def test_kafka_is_asked_for_its_health_without_a_jvm(kafka: EmbeddedKafka) -> None:
    command = COMPOSE["services"]["kafka"]["healthcheck"]["test"][1:]
    assert command[0] == "bash"
    host, _, port = kafka.brokers.partition(":")
    there = [word.replace("127.0.0.1/9092", f"{host}/{port}") for word in command]
    assert there != command
    assert await _succeeds(there)
    (nobody,) = free_ports(1)
    assert not await _succeeds([word.replace("127.0.0.1/9092", f"127.0.0.1/{nobody}") for word in command])


def test_every_service_has_bounds_of_memory_and_logs() -> None:
    for name, service in COMPOSE["services"].items():
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"]), name
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name


def test_uploads_wait_on_a_volume_and_not_in_memory() -> None:
    folder = OURS["ingest"]["environment"]["TMPDIR"]
    assert f"uploads:{folder}" in OURS["ingest"]["volumes"]
    assert not any(str(mounted).startswith(folder) for mounted in OURS["ingest"]["tmpfs"])
    assert folder in (ROOT / "deploy" / "Dockerfile").read_text()
