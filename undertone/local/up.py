"""``undertone up``: all of it on this machine, until Ctrl-C."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

import psutil
from pydantic import SecretStr

from undertone.access.guard import check_access
from undertone.access.keys import Keyring
from undertone.access.logins import link_to
from undertone.bootstrap import apply_topics, check_kafka
from undertone.consumer_groups import wait_for_coordinators
from undertone.errors import FatalError, TransientError
from undertone.local.cache import close_cache
from undertone.local.downloads import Downloads
from undertone.local.environment import ignore_postgres_variables, kafka_environment, program_environment
from undertone.local.home import check_names, hold_home, keep_secret, with_secrets
from undertone.local.jars import jars_folder
from undertone.local.kafka import EmbeddedKafka
from undertone.local.parts import Part, Program
from undertone.local.plan import WORKERS
from undertone.local.ports import free_ports, ip_address_of, is_free, reached_at
from undertone.local.postgres import EmbeddedPostgres, check_postgres
from undertone.local.supervisor import Step, Supervisor
from undertone.local.terminal import Terminal
from undertone.settings import Settings

AUDIO_RETENTION_HOURS = 168
DATABASE_S = 10.0
REPORT_S = 15.0


def run_up(settings: Settings, *, demo: bool) -> None:
    """Run all of it until Ctrl-C or SIGTERM. Raises ``FatalError`` if it cannot; no process of ours is left then."""
    home = settings.home.absolute()
    cache = settings.cache.absolute()
    changes: dict[str, object] = {"home": home, "cache": cache}
    os.umask(os.umask(0) | 0o022)  # nothing of what is written here may be changed by others; most of it not be read
    check_names(home, cache)
    if settings.database is None:
        check_postgres(home)
        ignore_postgres_variables(os.environ)
    with hold_home(home):
        close_cache(cache)
        changes["port"] = _choose_port(settings.host, settings.port)
        if settings.secret is None:
            keep_secret(home / "secret")
        if "audio_retention_hours" not in settings.model_fields_set:
            changes["audio_retention_hours"] = AUDIO_RETENTION_HOURS
        settings = with_secrets(settings.model_copy(update=changes))
        settings.signing_key()
        check_access(settings, Keyring(settings.keys_file()))
        asyncio.run(Up(settings, demo=demo).run())


class Up:
    """One run of `up`, from the start of the first part to the end of the last."""

    def __init__(self, settings: Settings, *, demo: bool) -> None:
        """``settings`` name a home that we hold, a free port and a secret."""
        self._settings = settings
        self._terminal = Terminal()
        self._downloads = Downloads(settings, self._terminal)
        self._kafka = None if settings.kafka else EmbeddedKafka(settings.home, jars_folder(settings.cache))
        self._postgres = None if settings.database else EmbeddedPostgres(settings.home)
        self._programs = self._make_programs(demo=demo)
        self._supervisor = Supervisor(self._make_parts(), self._make_steps(), self._terminal.say)
        self._asked_to_stop = asyncio.Event()

    async def run(self) -> None:
        """Start, keep and stop all of it. Raises ``FatalError`` if something cannot start."""
        self._listen_for_signals()
        self._terminal.greet(self._settings.home)
        running = asyncio.create_task(self._supervisor.run())
        telling = [asyncio.create_task(self._tell_when_ready()), asyncio.create_task(self._tell_what_is_missing())]
        stopping = asyncio.create_task(self._asked_to_stop.wait())
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*telling, stopping):
                task.cancel()
            self._asked_to_stop.clear()
            failed = running.exception() if running.done() and not running.cancelled() else None
            await self._stop(running)
        if failed is not None:
            raise failed

    async def _stop(self, running: asyncio.Task[None]) -> None:
        begun = time.monotonic()
        self._terminal.say("up", "stops; once more Ctrl-C kills")
        self._downloads.stop()
        running.cancel()
        await asyncio.wait({running})
        orderly = asyncio.create_task(self._supervisor.stop())
        impatient = asyncio.create_task(self._asked_to_stop.wait())
        await asyncio.wait({orderly, impatient}, return_when=asyncio.FIRST_COMPLETED)
        for task in (orderly, impatient):
            task.cancel()
        _kill_descendants()
        self._terminal.say("up", f"stopped after {time.monotonic() - begun:.1f} s")

    def _listen_for_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._asked_to_stop.set)

    def _make_programs(self, *, demo: bool) -> dict[str, Program]:
        settings = self._settings
        web = Program("web", ["serve", "all"], settings.home, self._environment, (settings.host, settings.port))
        programs = {"web": web}
        for name, port in zip(WORKERS, free_ports(len(WORKERS)), strict=True):
            health = (settings.health_host, port)
            programs[name] = Program(name, ["worker", name], settings.home, partial(self._environment, port), health)
        if demo:
            programs["demo"] = Program("demo", ["demo", "--url", self._url()], settings.home, self._environment, None)
        return programs

    def _make_parts(self) -> dict[str, Part]:
        servers: dict[str, Part | None] = {"kafka": self._kafka, "postgres": self._postgres}
        return {name: part for name, part in servers.items() if part is not None} | dict(self._programs)

    def _make_steps(self) -> dict[str, Step]:
        embedded = {"jars": self._downloads.jars} if self._kafka else {"kafka": lambda: check_kafka(self._settings)}
        return {**embedded, "weights": self._downloads.weights, "topics": self._topics, "migrations": self._migrations}

    async def _topics(self) -> None:
        """Apply the topics, then wait for the consumer groups, whose own topic a new cluster makes on demand."""
        await apply_topics(self._reached())
        with contextlib.suppress(TransientError):  # the workers try again, and say so
            await wait_for_coordinators(self._reached(), WORKERS)

    async def _migrations(self) -> None:
        from storage.migrations import upgrade

        await asyncio.to_thread(upgrade, self._reached().database_url(), wait_s=DATABASE_S)

    def _reached(self) -> Settings:
        """The settings with the addresses of the embedded servers, which have been started."""
        settings = self._settings if self._kafka is None else self._kafka.reached(self._settings)
        if self._postgres is not None:
            settings = settings.model_copy(update={"database": SecretStr(self._postgres.url)})
        return settings

    def _environment(self, health_port: int = 0) -> Mapping[str, str]:
        settings = self._reached()
        return {
            **program_environment(os.environ),
            **kafka_environment(settings),
            "UNDERTONE_HOME": str(settings.home),
            "UNDERTONE_CACHE": str(settings.cache),
            "UNDERTONE_PORT": str(settings.port),
            "UNDERTONE_HEALTH_PORT": str(health_port),
            "UNDERTONE_DATABASE": settings.database_url(),
            "UNDERTONE_SECRET": settings.signing_key(),
            "UNDERTONE_SECRET_BEFORE": settings.secret_before.get_secret_value() if settings.secret_before else "",
            "UNDERTONE_AUDIO_RETENTION_HOURS": str(settings.audio_retention_hours),
        }

    def _url(self) -> str:
        host = ip_address_of(reached_at(self._settings.host))
        return f"http://{f'[{host}]' if ':' in host else host}:{self._settings.port}"

    async def _tell_when_ready(self) -> None:
        self._terminal.ready(self._url(), await self._supervisor.until_ready())
        if self._settings.access == "closed":
            self._terminal.invite(link_to(self._settings, self._url(), datetime.now(UTC)))

    async def _tell_what_is_missing(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            for name in self._supervisor.missing():
                program = self._programs.get(name)
                reason = None if program is None else await program.why_not_ready()
                self._terminal.say(name, f"not ready yet{f': {reason}' if reason else ''}")


def _choose_port(host: str, port: int) -> int:
    """The port to listen on: ``port``, or a free one for 0. Raises ``FatalError`` if it is taken."""
    if port == 0:
        return free_ports(1)[0]
    try:
        if is_free(host, port):
            return port
    except OSError as error:
        raise FatalError(
            f"{host} is no address of this machine ({error}): set UNDERTONE_HOST to one, such as 127.0.0.1"
        ) from error
    raise FatalError(
        f"port {port} is taken{_by_whom(port)}: stop what listens there, or choose another port with --port"
    )


def _by_whom(port: int) -> str:
    with contextlib.suppress(psutil.Error, PermissionError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,) and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""


def _kill_descendants() -> None:
    """End whatever is still left of ours, such as the installer of a download."""
    left = psutil.Process().children(recursive=True)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=3)
