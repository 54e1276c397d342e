"""How fast the history answers when much is stored.

    python -m benchmarks.history TEXTS… [--rows 10000000] [--home DIR] [--rounds 3] [--json]

An embedded PostgreSQL as `undertone up` runs it is filled by COPY with so many utterances in sessions over a year: real
sentences from labelled files (``models/training/labelled.py``), half English, half Korean. Then every question of the
mix (``questions.py``) is asked, all of them in random order, in several rounds, and timed from question to events;
beside them, as a measure of the machine, reads of one utterance by its key. ``--home`` keeps the database and finds it
again. Ten million utterances take 14 GB of disk.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from random import Random

import numpy as np
import psycopg
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benchmarks.history.filling import fill
from benchmarks.history.questions import Asked, mix
from benchmarks.history.texts import read_texts, words_by_share
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.questions import read_question
from storage.schema import utterances
from storage.search import search
from undertone.errors import Refusal
from undertone.local.postgres import EmbeddedPostgres

SEED = 20260101
MOST_TEXTS = 150_000  # of each language
PAGE = 50
PLAIN = "one utterance by its key"
MISSED_MS = 2000.0  # what a question counts that was refused


@dataclass(frozen=True)
class Figures:
    """Seconds of each step of filling, sizes in megabytes, and milliseconds of every answer by the kind of question."""

    filled_s: Mapping[str, float]
    sizes: Mapping[str, int]
    took_ms: Mapping[str, Sequence[float]]


async def measure(database_url: str, asked: Sequence[Asked], rounds: int, random: Random) -> dict[str, list[float]]:
    """Milliseconds of every answer, by the kind of question."""
    took: dict[str, list[float]] = defaultdict(list)
    engine = make_engine(database_url, pool_size=1)
    keys = _some_keys(database_url)
    for _ in range(rounds):
        for question in random.sample(asked, len(asked)):
            took[question.kind].append(await _ask(engine, question))
            took[PLAIN].append(await _read(engine, random.choice(keys)))
    await engine.dispose()
    return took


async def _ask(engine: AsyncEngine, asked: Asked) -> float:
    question, cursor, took_ms = read_question(asked.words), None, 0.0
    for _ in range(asked.pages):
        began_s = time.perf_counter()
        async with engine.connect() as connection:
            try:
                page = await search(connection, question, asked.filters, cursor=cursor, limit=PAGE)
            except Refusal:
                return MISSED_MS
        for utterance in page.items:
            question.parts(utterance.text)
        took_ms = 1000 * (time.perf_counter() - began_s)
        cursor = page.next
        if cursor is None:
            break
    return took_ms


async def _read(engine: AsyncEngine, key: str) -> float:
    began_s = time.perf_counter()
    async with engine.connect() as connection:
        await _one(connection, key)
    return 1000 * (time.perf_counter() - began_s)


async def _one(connection: AsyncConnection, key: str) -> None:
    (await connection.execute(select(utterances).where(utterances.c.utterance_id == key))).mappings().one()


def _some_keys(database_url: str) -> list[str]:
    with psycopg.connect(database_url) as connection:
        share = 100_000 / max(sizes(database_url)["rows"], 1)
        asked = connection.execute(
            f"SELECT utterance_id FROM utterances TABLESAMPLE SYSTEM ({min(share, 100)})".encode()
        )
        return [key for (key,) in asked.fetchall()]


def sizes(database_url: str) -> Mapping[str, int]:
    """Rows, and megabytes of the table and its indexes."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT count(*) FROM utterances").fetchone()
        table = connection.execute("SELECT pg_table_size('utterances') / 1000000").fetchone()
        indexes = connection.execute(
            "SELECT indexrelid::regclass::text, pg_relation_size(indexrelid) / 1000000 FROM pg_index "
            "WHERE indrelid = 'utterances'::regclass"
        ).fetchall()
    assert rows is not None
    assert table is not None
    return {"rows": rows[0], "utterances": table[0], **dict(indexes)}


def percentiles(took_ms: Sequence[float]) -> tuple[float, float, float]:
    """Median, 95th percentile and the slowest."""
    return float(np.median(took_ms)), float(np.percentile(took_ms, 95)), max(took_ms)


async def run(given: argparse.Namespace, home: Path) -> Figures:
    """Fill the database unless it is, ask, and return the figures."""
    random = Random(SEED)
    texts = read_texts(given.texts, MOST_TEXTS, random)
    server = EmbeddedPostgres(home)
    await server.start()
    try:
        upgrade(server.url)
        filled: dict[str, float] = {}
        if sizes(server.url)["rows"] != given.rows:
            filled = await asyncio.to_thread(fill, server.url, given.rows, texts, random)
        asked = [question for language in texts for question in mix(words_by_share(texts[language], language))]
        took = await measure(server.url, asked, given.rounds, Random(SEED))
        return Figures(filled, sizes(server.url), took)
    finally:
        await server.stop(60)


def report(found: Figures) -> None:
    """Print the figures as tables."""
    took = dict(found.took_ms)
    plain_ms = percentiles(took.pop(PLAIN))
    print("filled, s:", {name: round(seconds) for name, seconds in found.filled_s.items()})
    print("sizes, MB:", dict(found.sizes))
    print("| question | answers | median, 95 %, slowest (ms) | in reads of one utterance by its key |")
    print("|---|---|---|---|")
    for kind, taken in [*took.items(), ("**all**", list(chain(*took.values())))]:
        figures = percentiles(taken)
        ratios = ", ".join(f"{figure / plain_ms[0]:.1f}" for figure in figures)
        print(f"| {kind} | {len(taken)} | {', '.join(f'{figure:.1f}' for figure in figures)} | {ratios} |")
    print(f"one utterance by its key: {', '.join(f'{figure:.2f}' for figure in plain_ms)} ms")


def main() -> None:
    """Fill and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="+", type=Path, help="labelled files: tab-separated, plain or .gz")
    parser.add_argument("--rows", type=int, default=10_000_000, help="how many utterances")
    parser.add_argument("--rounds", type=int, default=3, help="how often each question is asked")
    parser.add_argument("--home", type=Path, help="keeps the database, and finds it again")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        found = asyncio.run(run(given, given.home or Path(folder)))
    print(json.dumps(asdict(found))) if given.json else report(found)


if __name__ == "__main__":
    main()
