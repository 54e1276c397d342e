"""The way to PostgreSQL: one kind of engine, and one translation of its errors into ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from undertone.errors import FatalError, PoisonError, TransientError

CONNECT_TIMEOUT_S = 5
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
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        "options": f"-c timezone=UTC -c statement_timeout={statement_timeout_ms}",
    }


def make_engine(database_url: str, *, pool_size: int = 5, statement_timeout_ms: int = 30_000) -> AsyncEngine:
    """An engine whose pool heals after a restart of PostgreSQL. Connects at first use, not here."""
    return create_async_engine(
        connect_url(database_url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_S,
        pool_pre_ping=True,
        connect_args=connect_options(statement_timeout_ms),
    )


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
