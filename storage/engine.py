"""The way to PostgreSQL: one kind of engine, one translation of its errors into ours, and a bound on every wait.

A PostgreSQL that hangs, or a network that swallows what is sent, gives no error at all: the kernel at the other end
may go on acknowledging. So every answer is waited for with a clock of our own.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import psycopg
from psycopg import waiting
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from undertone.errors import FatalError, PoisonError, TransientError

CONNECT_TIMEOUT_S = 5
READ_S = 5.0
_GRACE_S = 5.0  # what an answer may take beyond the server's own bound on a statement
_UNDEFINED_TABLE = "42P01"
_UNDEFINED_COLUMN = "42703"
_PASSING = {"40001", "40P01"}  # serialization failure, deadlock: the same transaction may work the next time


def connect_url(database_url: str) -> URL:
    """``postgresql://…`` with the driver that we use. Raises ``FatalError`` for an address of another kind."""
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise FatalError(
            "UNDERTONE_DATABASE is not an address: it looks like postgresql://user:password@host:port/name"
        ) from error
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise FatalError(f"UNDERTONE_DATABASE names {url.get_backend_name()}: only PostgreSQL is supported")
    return url.set(drivername="postgresql+psycopg")


def connect_options(statement_timeout_ms: int = 0) -> dict[str, object]:
    """Options of every connection: bounded waits, and UTC so that times read back as they were written."""
    return {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "client_encoding": "utf8",
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        "options": f"-c timezone=UTC -c statement_timeout={statement_timeout_ms}",
    }


def make_engine(database_url: str, *, pool_size: int = 5, statement_timeout_ms: int = 30_000) -> AsyncEngine:
    """An engine whose pool heals after a restart of PostgreSQL. Connects at first use, not here.

    No wait for PostgreSQL is longer than ``statement_timeout_ms`` and a few seconds.
    """
    answer_s = statement_timeout_ms / 1000 + _GRACE_S
    return create_async_engine(
        connect_url(database_url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_S,
        pool_pre_ping=True,
        connect_args=connect_options(statement_timeout_ms) | {"async_creator_fn": partial(_connect, answer_s)},
    )


@asynccontextmanager
async def reading(engine: AsyncEngine, isolation_level: str | None = None) -> AsyncIterator[AsyncConnection]:
    """A connection to read with, for ``READ_S`` in all. Raises as ``translate_errors``, and ``TransientError`` then."""
    with translate_errors():
        try:
            async with asyncio.timeout(READ_S), engine.connect() as connection:
                if isolation_level is not None:
                    await connection.execution_options(isolation_level=isolation_level)
                yield connection
        except TimeoutError as error:
            raise TransientError(f"PostgreSQL has not answered within {READ_S:g} s") from error


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction, durable when the block ends. Raises as ``translate_errors``."""
    with translate_errors():
        async with engine.begin() as connection:
            yield connection


class BoundedConnection(psycopg.AsyncConnection[Any]):
    """Waits for each answer for ``answer_s``; one that did not come, or that nobody waits for, ends the connection.

    psycopg itself asks a server that does not answer to cancel, for ten seconds, and keeps the connection.
    """

    answer_s = _GRACE_S

    async def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        """What psycopg waits with for every answer of the server."""
        try:
            async with asyncio.timeout(self.answer_s):
                return await waiting.wait_async(gen, self.pgconn.socket, interval, timeout)
        except TimeoutError as error:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {self.answer_s:g} s") from error
        except asyncio.CancelledError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


async def _connect(answer_s: float, *given: Any, **options: Any) -> BoundedConnection:
    connection = await BoundedConnection.connect(*given, **options)
    connection.answer_s = answer_s
    return connection


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise ``TransientError`` while PostgreSQL is away or has no tables yet, ``PoisonError`` for values it rejects.

    Anything else is a fault of the program and passes unchanged.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise TransientError("every connection to PostgreSQL is in use: try again shortly") from error
    except DataError as error:
        raise PoisonError(f"PostgreSQL rejects a value: {error.orig}") from error
    except (OperationalError, InterfaceError) as error:
        raise TransientError(f"PostgreSQL is away: {error.orig}") from error
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) in {_UNDEFINED_TABLE, _UNDEFINED_COLUMN}:
            raise TransientError("the database lacks tables: run `undertone db upgrade`") from error
        raise
    except DBAPIError as error:
        if error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _PASSING:
            raise TransientError(f"PostgreSQL is away: {error.orig}") from error
        raise
