"""Migrations on a real PostgreSQL: by several at once, while it starts, and what refuses to work."""

import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg.types.json import Jsonb
from sqlalchemy import create_engine, func, select

from storage.engine import connect_url, make_engine
from storage.migrations import configuration, upgrade
from storage.queries import window_page
from storage.questions import read_question
from storage.rows import row_of
from storage.schema import metadata, utterances
from storage.search import search
from tests.conftest import running
from tests.storage_events import utterance, window
from undertone.errors import FatalError
from undertone.events import Utterance, Window
from undertone.local.ports import free_ports
from undertone.local.postgres import EmbeddedPostgres


def test_the_migrations_make_the_schema(database: str) -> None:
    upgrade(database)
    with create_engine(connect_url(database)).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    connection.engine.dispose()


def test_several_at_once_and_again(database: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(upgrade, database) for _ in range(4)]:
            done.result()
    upgrade(database)
    with psycopg.connect(database) as connection:
        assert connection.execute("select version_num from alembic_version").fetchall() == [("0006",)]


def at_version(database: str, version: str, event: Window | Utterance, lacking: Collection[str] = ()) -> None:
    """Bring the database to a version, and store an event as it did."""
    with create_engine(connect_url(database)).connect() as connection:
        command.upgrade(configuration(connection), version)
        connection.commit()
    connection.engine.dispose()
    row = {
        name: Jsonb(value) if isinstance(value, dict) else value
        for name, value in row_of(event).items()
        if name not in lacking
    }
    with psycopg.connect(database) as old:
        names, places = ", ".join(row), ", ".join(["%s"] * len(row))
        old.execute(f"insert into {event.type}s ({names}) values ({places})".encode(), list(row.values()))


async def test_windows_of_an_older_version_are_kept_and_lack_what_it_did_not_know(database: str) -> None:
    given = window(final=True)
    new = ("score_min", "score_max", "longest_pause_ms")
    at_version(database, "0001", given, new)
    upgrade(database)
    engine = make_engine(database)
    async with engine.connect() as reading:
        (found,) = (await window_page(reading, given.session_id)).items
    await engine.dispose()
    assert found == given.model_copy(update=dict.fromkeys(new))


async def test_utterances_of_an_older_version_are_found_and_counted(database: str) -> None:
    """All of several batches."""
    refused = utterance().quality.model_copy(update={"suppressed": "no_speech"})
    given = [utterance(seq=seq, text=f"세 낱말\u3000{seq}") for seq in range(1, 4)]
    given.append(utterance(seq=4, text="셋", quality=refused))
    for event in given:
        at_version(database, "0002", event)
    others = [name for name in row_of(given[0]) if name not in {"utterance_id", "first_sample"}]
    with psycopg.connect(database) as old:
        old.execute(
            f"insert into utterances (utterance_id, first_sample, {', '.join(others)}) "
            f"select session_id || '-1' || lpad(n::text, 11, '0'), n + 1000000000, {', '.join(others)} "
            "from utterances, generate_series(1, 11000) n where seq = 4".encode()
        )
    upgrade(database)
    engine = make_engine(database)
    async with engine.connect() as reading:
        found = (await search(reading, read_question("낱말"))).items
        counted = await reading.execute(select(utterances.c.words, func.count()).group_by(utterances.c.words))
        assert dict(map(tuple, counted)) == {3: 3, 1: 11_001}
    await engine.dispose()
    assert found == given[2::-1]


def test_waits_for_a_server_that_is_not_up_yet(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    with running(server):
        url = server.url
    started = threading.Event()
    with ThreadPoolExecutor(1) as threads:

        def migrate() -> None:
            started.set()
            upgrade(url, wait_s=60)

        done = threads.submit(migrate)
        assert started.wait(10)
        with running(server):
            done.result(timeout=60)
            with psycopg.connect(url) as connection:
                assert connection.execute("select count(*) from sessions").fetchone() == (0,)


def test_a_wrong_password_is_said_at_once(database: str) -> None:
    secret = database.split(":")[2].split("@", maxsplit=1)[0]
    with pytest.raises(FatalError, match="refuses the password: check user and password") as error:
        upgrade(database.replace(secret, "not-the-password"), wait_s=60)
    assert "not-the-password" not in str(error.value)


def test_an_unknown_database_is_said_at_once(database: str) -> None:
    with pytest.raises(FatalError, match="has no such database: create it"):
        upgrade(database + "_missing", wait_s=60)


def test_no_server_is_said_after_the_bound() -> None:
    (port,) = free_ports(1)
    with pytest.raises(FatalError, match="cannot be reached: start it, or correct UNDERTONE_DATABASE"):
        upgrade(f"postgresql://undertone:x@127.0.0.1:{port}/undertone", wait_s=0)


@pytest.mark.parametrize("url", ["not an address", "mysql://root@localhost/x"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(FatalError, match="UNDERTONE_DATABASE"):
        upgrade(url)
