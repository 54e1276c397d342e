"""``undertone up`` for real: everything starts, what dies is restarted, it stops in time and leaves nothing behind."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from typer.testing import CliRunner

from tests.integration.test_private_home import open_to_others
from tests.waiting import until
from undertone.cli import app
from undertone.local.environment import kafka_environment
from undertone.local.home import hold_home
from undertone.local.jars import KAFKA_VERSION
from undertone.local.ports import LOOPBACK, free_ports
from undertone.settings import Settings

START_S = 180
STOP_S = 15
REFUSE_S = 60
UNREACHABLE_PROXY = "http://127.0.0.1:9"


@dataclass
class Running:
    """A process of ``undertone up`` and what it has printed."""

    process: subprocess.Popen[bytes]
    output: Path

    def text(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def part(self, *words: str) -> psutil.Process:
        (found,) = [process for process in self.family() if process.cmdline()[-len(words) :] == list(words)]
        return found

    async def until_printed(self, word: str, timeout_s: float, times: int = 1) -> None:
        def printed() -> bool:
            if self.process.poll() is not None:
                pytest.fail(f"up ended with status {self.process.returncode}:\n{self.text()}")
            return self.text().count(word) >= times

        try:
            await until(printed, timeout_s, word)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text()}") from None

    async def until_gone(self, family: list[psutil.Process], timeout_s: float) -> None:
        await until(lambda: self.process.poll() is not None, timeout_s, "up ends")
        assert living(family) == [], self.text()


def living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; what has ended and waits for init to take note of it does not."""
    return [process for process in processes if _lives(process)]


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def environment(**given: str) -> dict[str, str]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith("UNDERTONE_")}
    return {**outer, "UNDERTONE_CACHE": str(Settings().cache), **given}


@contextmanager
def up(home: Path, port: int, given: Mapping[str, str] | None = None) -> Iterator[Running]:
    home.parent.mkdir(parents=True, exist_ok=True)
    output = home.parent / "up.out"
    command = [sys.executable, "-m", "undertone.cli", "up", "--home", str(home), "--port", str(port)]
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, env=environment(**(given or {})), stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    running = Running(process, output)
    try:
        yield running
    finally:
        if process.poll() is None:
            for each in [*running.family(), psutil.Process(process.pid)]:
                each.kill()
        process.wait()


async def refused(home: Path, port: int, **given: str) -> str:
    """The one line of error that ``up`` ends with; nothing of it is left then."""
    with up(home, port, given) as running:
        family: set[psutil.Process] = set()

        def ended() -> bool:
            if running.process.poll() is not None:
                return True
            family.update(running.family())
            return False

        await until(ended, REFUSE_S, "up refuses to start")
        assert running.process.returncode == 1, running.text()
        await until(lambda: not living(family), 5, "nothing of it is left")
        assert "Traceback" not in running.text()
        last = running.text().strip().splitlines()[-1]
    assert last.startswith("error: "), running.text()
    return last


async def test_up_runs_all_of_it_restarts_what_dies_and_keeps_what_was_recorded(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (port,) = free_ports(1)
    url = f"http://{LOOPBACK}:{port}"
    with up(home, port) as running:
        await running.until_printed(url, START_S)
        family = running.family()
        async with httpx.AsyncClient(base_url=url) as http:
            assert (await http.get("/readyz")).json() == {"status": "ready"}
            assert (await http.get("/")).headers["content-type"].startswith("text/html")
            assert (await http.post("/v1/sessions")).json()["code"] == "login_needed"
            assert (await http.get("/v1/sessions")).json()["code"] == "login_needed"
            link = re.search(rf"log in\s+{url}/login#(\S+)", running.text())
            assert link
            assert (await http.post("/v1/login", json={"link": link[1]})).status_code == 204
            assert (await http.post("/v1/login", json={"link": link[1]})).json()["code"] == "link_used"
            made = await http.post("/v1/sessions", json={"title": "kept"})  # the cookie is kept by the client
            assert made.status_code == 201

            running.part("worker", "statistics").kill()
            await running.until_printed("was ended by SIGKILL, starts again", 30)
            await running.until_printed("statistics   ready", START_S, times=2)

            password = (home / "kafka-password").read_text()
            assert not [line for part in running.family() if password in " ".join(line := part.cmdline())]
            assert open_to_others(home) == []
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("UNDERTONE_HOME", str(home))
                for command in (["dead-letters", "list"], ["topics", "show"]):
                    done = await asyncio.to_thread(CliRunner().invoke, app, command)
                    assert done.exit_code == 0, done.output

            session_id = made.json()["session_id"]

            async def is_in_history() -> bool:
                return (await http.get(f"/v1/sessions/{session_id}")).status_code == 200

            await until(is_in_history, 30, "the session is in the history")
        family += running.family()
        begun = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        await running.until_gone(family, STOP_S + 5)
        assert time.monotonic() - begun < STOP_S
        assert running.process.returncode == 0
    assert (home / "secret").stat().st_mode & 0o077 == 0

    with up(home, port) as running:
        await running.until_printed(url, START_S)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("UNDERTONE_HOME", str(home))
            assert "kept" in CliRunner().invoke(app, ["sessions", "--url", url], catch_exceptions=False).output
        family = running.family()
        running.part("worker", "classifier").suspend()  # deaf to SIGTERM
        begun = time.monotonic()
        running.process.send_signal(signal.SIGINT)
        await running.until_gone(family, STOP_S + 5)
        assert time.monotonic() - begun < STOP_S


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
async def test_nothing_outlives_an_up_that_is_killed(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with up(tmp_path / "home", port) as running:
        await running.until_printed("web          ready", START_S)
        family = running.family()
        assert len(family) >= 3
        running.process.kill()
        await until(lambda: not living(family), STOP_S, "all are gone")


async def test_a_port_that_is_taken_is_named_with_the_remedy_before_anything_starts(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", LOOPBACK],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as other:
        try:
            async with httpx.AsyncClient() as http:

                async def listens() -> bool:
                    try:
                        return (await http.get(f"http://{LOOPBACK}:{port}/")).is_success
                    except httpx.TransportError:
                        return False

                await until(listens, 10, "the other server listens")
            error = await refused(tmp_path / "home", port)
        finally:
            other.kill()
    assert f"port {port} is taken" in error
    assert "--port" in error
    assert not (tmp_path / "home" / "kafka").exists()


async def test_a_home_in_use_is_named_with_the_process(tmp_path: Path) -> None:
    with hold_home(tmp_path / "home"):
        error = await refused(tmp_path / "home", 0)
    assert f"already in use by a running Undertone (process {os.getpid()})" in error
    assert "--home" in error


async def test_what_others_could_reach_does_not_start_without_a_key(tmp_path: Path) -> None:
    error = await refused(tmp_path / "home", 0, UNDERTONE_HOST="0.0.0.0")
    assert "undertone keys make NAME --right operate" in error


async def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        command = [sys.executable, "-m", "undertone.cli", "up", "--home", "file/home"]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=REFUSE_S)
    assert done.returncode == 1
    assert "file/home cannot be written" in done.stderr
    assert "--home" in done.stderr


async def test_without_a_network_the_first_start_says_so(tmp_path: Path) -> None:
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), UNREACHABLE_PROXY)
    error = await refused(tmp_path / "home", 0, UNDERTONE_CACHE=str(tmp_path / "cache"), **proxies)
    assert "cannot be downloaded" in error
    assert "network" in error


async def test_a_jar_that_fails_its_checksum_is_named_with_both_sums(tmp_path: Path, kafka_jars: Path) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(kafka_jars, cache / kafka_jars.name)
    spoiled = cache / kafka_jars.name / f"kafka-clients-{KAFKA_VERSION}.jar"
    with spoiled.open("ab") as file:
        file.write(b"!")
    model = tmp_path / "model"
    model.mkdir()
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (model / name).write_bytes(b"")
    error = await refused(
        tmp_path / "home",
        0,
        UNDERTONE_CACHE=str(cache),
        UNDERTONE_WHISPER_MODEL=str(model),
        HTTPS_PROXY=UNREACHABLE_PROXY,
    )
    assert spoiled.name in error
    assert "SHA-256" in error
    assert "delete it" in error


async def test_a_kafka_that_is_not_there_is_named(tmp_path: Path) -> None:
    (nobody,) = free_ports(1)
    error = await refused(tmp_path / "home", 0, UNDERTONE_KAFKA=f"{LOOPBACK}:{nobody}")
    assert f"{LOOPBACK}:{nobody}" in error
    assert "UNDERTONE_KAFKA" in error


async def test_a_kafka_that_refuses_the_password_is_named(tmp_path: Path, settings: Settings) -> None:
    given = {**kafka_environment(settings), "UNDERTONE_KAFKA_PASSWORD": "wrong"}
    error = await refused(tmp_path / "home", 0, **given)
    assert "refuses the user 'undertone'" in error
    assert "UNDERTONE_KAFKA_PASSWORD" in error


async def test_a_postgres_that_is_not_there_is_named(tmp_path: Path, settings: Settings) -> None:
    (nobody,) = free_ports(1)
    url = f"postgresql://somebody:secret-word@{LOOPBACK}:{nobody}/undertone"
    error = await refused(tmp_path / "home", 0, UNDERTONE_DATABASE=url, **kafka_environment(settings))
    assert f"{LOOPBACK}:{nobody}" in error
    assert "UNDERTONE_DATABASE" in error
    assert "secret-word" not in error


async def test_a_postgres_that_refuses_the_password_is_named(tmp_path: Path, settings: Settings, database: str) -> None:
    url = httpx.URL(database)
    wrong = str(url.copy_with(userinfo=f"{url.username}:wrong-word".encode()))
    error = await refused(tmp_path / "home", 0, UNDERTONE_DATABASE=wrong, **kafka_environment(settings))
    assert "refuses the password" in error
    assert "wrong-word" not in error
