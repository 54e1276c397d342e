"""SIGKILL in the middle of utterances: the same ids, text, windows and rows as an undisturbed run."""

import sys
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from storage.migrations import upgrade
from tests.clips import log_of, read_clip, silence
from tests.streams import read_events
from tests.waiting import until
from tests.workers import running_workers
from undertone.audio import to_samples
from undertone.bootstrap import apply_topics
from undertone.events import Worker
from undertone.identifiers import make_session_id
from undertone.kafka import open_publisher
from undertone.records import AudioRecord
from undertone.settings import Settings
from undertone.topics import WORKERS, place

KILLS = 10
APPS = ("transcriber", "classifier", "statistics", "archivist")


def two_sessions_of_one_partition(partitions: int) -> tuple[str, str]:
    """Ids that share a partition, so that their records are interleaved in one log."""
    first = make_session_id(1_790_000_000_000, 1)
    for number in range(2, 1000):
        second = make_session_id(1_790_000_000_001, number)
        if place(second, partitions) == place(first, partitions):
            return first, second
    raise AssertionError("no two ids share a partition")


FIRST = ["jfk.flac", "LJ001-0002.flac", "LJ001-0008.flac", "1688-142285-0002.flac", "LJ001-0002.flac"] * 2
SECOND = ["LJ001-0008.flac", "1688-142285-0002.flac", "LJ001-0002.flac", "jfk.flac", "LJ001-0008.flac"] * 2
PAUSE_MS = 1400


def conversation(session_id: str, clips: list[str]) -> tuple[list[AudioRecord], list[int]]:
    """A log of real speech with pauses that end utterances, and a sample in the middle of the speech of each clip."""
    parts = [read_clip(name) for name in clips]
    ends = list(accumulate(len(part) // 2 + to_samples(PAUSE_MS) for part in parts))
    middles = [end - to_samples(PAUSE_MS) - len(part) // 4 for part, end in zip(parts, ends, strict=True)]
    return log_of(session_id, b"".join(part + silence(PAUSE_MS) for part in parts)), middles


async def feed(settings: Settings, logs: list[list[AudioRecord]], upto: list[int]) -> None:
    """Write the logs side by side, record by record, as far as samples ``upto``; what is written leaves the logs."""
    async with open_publisher(settings) as publisher:
        while any(log and log[0].at < limit for log, limit in zip(logs, upto, strict=True)):
            for log, limit in zip(logs, upto, strict=True):
                if log and log[0].at < limit:
                    await publisher.publish_audio(log.pop(0))


async def everyone_has_ended(settings: Settings, sessions: tuple[str, ...]) -> bool:
    """Whether the whole-session window of each is final in the database: then all else is stored as well."""
    assert settings.database is not None
    query = "SELECT count(*) FROM windows WHERE size_ms = 0 AND final AND session_id = ANY(%s)"
    ended = "SELECT count(*) FROM sessions WHERE state = 'ended' AND session_id = ANY(%s)"
    async with await psycopg.AsyncConnection.connect(settings.database.get_secret_value()) as connection:
        for question in (query, ended):
            found = await (await connection.execute(question, (list(sessions),))).fetchone()
            if found is None or found[0] < len(sessions):
                return False
    return True


def stored(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Every row that a session left, but for wall times, and for where in the log the record stood."""
    assert settings.database is not None
    questions = {
        "utterances": "SELECT to_jsonb(u) - 'timing' FROM utterances u ORDER BY utterance_id",
        "windows": "SELECT to_jsonb(w) FROM windows w ORDER BY session_id, size_ms, start_ms",
        "sessions": "SELECT to_jsonb(s) - 'ended_at' - 'log_offset' FROM sessions s ORDER BY session_id",
    }
    with psycopg.connect(settings.database.get_secret_value()) as connection:
        return {name: [row[0] for row in connection.execute(query.encode())] for name, query in questions.items()}


async def has_heard(settings: Settings, upto: dict[str, int], since: datetime) -> bool:
    """Whether a transcriber has said, after ``since``, that it heard all sessions as far as samples ``upto``."""
    reports = [event for event in await read_events(settings, WORKERS) if isinstance(event, Worker)]
    return any(
        report.at > since and all(report.heard.get(session, 0) >= at for session, at in upto.items())
        for report in reports[-3:]
    )


async def run(settings: Settings, folder: Path, sessions: tuple[str, str], *, kills: int) -> dict[str, list[Any]]:
    """One run of both sessions: the transcriber killed again and again in mid-utterance, or undisturbed."""
    await apply_topics(settings)
    assert settings.database is not None
    upgrade(settings.database.get_secret_value())
    first, first_middles = conversation(sessions[0], FIRST)
    second, second_middles = conversation(sessions[1], SECOND)
    folder.mkdir()
    with running_workers(APPS, settings, folder) as workers:
        for number, middles in enumerate(zip(first_middles, second_middles, strict=True)):
            since = datetime.now(UTC)
            await feed(settings, [first, second], list(middles))  # the same log in every run, offset by offset
            if number >= kills:
                continue
            heard = dict(zip(sessions, middles, strict=True))
            await until(lambda heard=heard, since=since: has_heard(settings, heard, since), 90)  # type: ignore[misc]
            workers["transcriber"].kill()
            workers["transcriber"].start()
        await feed(settings, [first, second], [sys.maxsize, sys.maxsize])
        await until(lambda: everyone_has_ended(settings, sessions), 180)
        for worker in workers.values():
            assert worker.is_running, worker.log()
    return stored(settings)


async def test_ten_kills_of_the_transcriber_change_nothing(
    kafka: str, settings: Settings, postgres: str, tmp_path: Path
) -> None:
    sessions = two_sessions_of_one_partition(settings.partitions)
    results = []
    for kills in (KILLS, 0):
        name = f"{'killed' if kills else 'undisturbed'}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE kills_{name}".encode())
        own = settings.model_copy(
            update={
                "topic_prefix": f"{settings.topic_prefix}-{name}",
                "database": SecretStr(f"{postgres.rpartition('/')[0]}/kills_{name}"),
            }
        )
        results.append(await run(own, tmp_path / name, sessions, kills=kills))
    killed, undisturbed = results
    assert len(undisturbed["utterances"]) >= 20
    assert killed["utterances"] == undisturbed["utterances"]
    assert killed["windows"] == undisturbed["windows"]
    assert killed["sessions"] == undisturbed["sessions"]
