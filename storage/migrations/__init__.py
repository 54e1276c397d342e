"""Migrations of the database, packaged with the program and run by it (``undertone db upgrade``)."""

import re
import time
from collections.abc import Callable

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from storage.engine import connect_options, connect_url
from undertone.errors import FatalError

_LOCK = 0x756E646572746F6E  # "underton": one number, the same for every process that migrates
_POLL_S = 0.25

# libpq gives no error code for a connection that is refused, so its words have to do
_REFUSED = {
    "password authentication failed": "refuses the password: check user and password in UNDERTONE_DATABASE",
    "no password supplied": "asks for a password: set UNDERTONE_DATABASE=postgresql://user:password@host:port/name",
    "no pg_hba.conf entry": "does not admit this user from this host: add a line to its pg_hba.conf",
    'role ".*" does not exist': "does not know this user: create it, or correct UNDERTONE_DATABASE",
    'database ".*" does not exist': "has no such database: create it with `createdb`, or correct UNDERTONE_DATABASE",
    "certificate verify failed": "shows a certificate that is not trusted: correct sslrootcert in UNDERTONE_DATABASE",
    "does not support SSL": "speaks no TLS: turn it on there, or leave sslmode out of UNDERTONE_DATABASE",
    "root certificate file": "cannot be checked: correct sslrootcert in UNDERTONE_DATABASE",
}


def upgrade(database_url: str, *, wait_s: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
    """Bring the database to the newest schema; does nothing when it is there. Several processes may call it at once.

    Waits up to ``wait_s`` for a PostgreSQL that is still starting. Raises ``FatalError`` for a wrong password, an
    unknown database, and a server that stays out of reach.
    """
    engine = create_engine(connect_url(database_url), poolclass=NullPool, connect_args=connect_options())
    with _connect(engine, clock() + wait_s, clock) as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        try:
            command.upgrade(configuration(connection), "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            connection.commit()


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for a connection; the scripts lie in this package."""
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _connect(engine: Engine, deadline: float, clock: Callable[[], float]) -> Connection:
    where = engine.url.render_as_string(hide_password=True).replace("+psycopg", "")
    while True:
        try:
            return engine.connect()
        except OperationalError as error:
            reason = str(error.orig)
            remedy = refusal(reason)
            if remedy is not None:
                raise FatalError(f"PostgreSQL at {where} {remedy} ({reason.strip()})") from error
            if clock() >= deadline:
                raise FatalError(
                    f"PostgreSQL at {where} cannot be reached: start it, or correct UNDERTONE_DATABASE "
                    f"({reason.strip()})"
                ) from error
            time.sleep(_POLL_S)


def refusal(reason: str) -> str | None:
    """Cause and remedy when ``reason`` says that waiting will not help; None while PostgreSQL may still come up."""
    return next((remedy for words, remedy in _REFUSED.items() if re.search(words, reason)), None)
