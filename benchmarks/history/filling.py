"""Fills a database with sessions over a year, by COPY, as the archivist would have stored them."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import psycopg

from benchmarks.history.texts import Said
from storage.eras import eras_of
from storage.terms import VERSION
from undertone.audio import to_samples
from undertone.identifiers import make_session_id, session_created_at, utterance_id

END_MS = 1_790_000_000_000
YEAR_MS = 365 * 86_400_000
EVERY_MS = 5000  # an utterance, of which somebody talks for
TALK_MS = 3500
TAGS = ("support", "sales", "team", "interview", "lecture")
_SCORES = {"negative": -0.7, "neutral": 0.02, "positive": 0.8}
_UTTERANCE = {
    "language_probability": "0.9731",
    "loudness_dbfs": "-21.7",
    "model": "whisper-base@1",
    "terms_version": str(VERSION),
    "quality": '{"suppressed": null, "avg_logprob": -0.2, "compression_ratio": 1.1, "no_speech_probability": 0.02}',
    "audio": '{"partition": 3, "last_offset": 123456, "first_offset": 123401}',
    "timing": '{"spoken_at": "2026-01-02T03:04:05.678901Z", "received_at": "2026-01-02T03:04:05.789012Z", '
    '"classified_at": "2026-01-02T03:04:06.901234Z", "transcribed_at": "2026-01-02T03:04:06.890123Z"}',
}
_UTTERANCES = (
    "utterance_id, session_id, eras, seq, through, first_sample, end_sample, start_ms, end_ms, "
    f"text, language, words, terms, sentiment, {', '.join(_UTTERANCE)}"
)
_SESSIONS = (
    "session_id, state, reason, seq, through, language, tags, created_at, utterances, suppressed, resume, log_offset"
)
_WINDOWS = (
    "session_id, size_ms, start_ms, seq, final, utterances, positive, neutral, negative, score, talk_ms, silence_ms, "
    "words"
)


@dataclass(frozen=True, slots=True)
class Stay:
    """A session that is made up: its id, its language and how many utterances it has."""

    session_id: str
    language: str
    utterances: int


def fill(database_url: str, rows: int, texts: Mapping[str, Sequence[Said]], random: Random) -> dict[str, float]:
    """Store so many utterances, then make the index of words; how many seconds each step took."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        asked = connection.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'utterances_by_term'")
        definition = str((asked.fetchone() or ("",))[0])
        connection.execute("DROP INDEX utterances_by_term")
        stays = list(_stays(rows, random))
        times = [time.monotonic()]
        _copy(connection, stays, texts, random)
        times.append(time.monotonic())
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute(definition.encode())
        times.append(time.monotonic())
        connection.execute("VACUUM (ANALYZE)")
        times.append(time.monotonic())
    steps = zip(("COPY", "index of words", "VACUUM, ANALYZE"), pairwise(times), strict=True)
    return {name: end - begin for name, (begin, end) in steps}


def _stays(rows: int, random: Random) -> Iterator[Stay]:
    left = rows
    while left > 0:
        number = min(left, random.randint(50, 550))
        made_ms = END_MS - YEAR_MS * left // rows
        left -= number
        yield Stay(make_session_id(made_ms, random.getrandbits(74)), random.choice(("en", "ko")), number)


def _copy(
    connection: psycopg.Connection[Any], stays: Sequence[Stay], texts: Mapping[str, Sequence[Said]], random: Random
) -> None:
    lines = {language: [_line(said) for said in given] for language, given in texts.items()}
    with connection.cursor() as cursor, cursor.copy(f"COPY utterances ({_UTTERANCES}) FROM STDIN".encode()) as copy:
        for stay in stays:
            said = random.choices(lines[stay.language], k=stay.utterances)
            copy.write("".join(_rows(stay, said)))
    with connection.cursor() as cursor, cursor.copy(f"COPY sessions ({_SESSIONS}) FROM STDIN".encode()) as copy:
        for number, stay in enumerate(stays):
            through, tags = to_samples(stay.utterances * EVERY_MS), "{" + random.choice(TAGS) + "}"
            made_at = session_created_at(stay.session_id)
            row = stay.session_id, "ended", "stop", stay.utterances + 1, through, stay.language, tags, made_at
            copy.write_row((*row, stay.utterances, 0, "{}", number))
    with connection.cursor() as cursor, cursor.copy(f"COPY windows ({_WINDOWS}) FROM STDIN".encode()) as copy:
        for stay in stays:
            number = stay.utterances
            counts = random.choice(([1, 1, number - 2], [number - 2, 1, 1], [1, number - 2, 1]))
            score, talk_ms = round(random.uniform(-0.6, 0.6), 4), number * TALK_MS
            copy.write_row(
                (
                    stay.session_id,
                    0,
                    0,
                    number + 1,
                    True,
                    number,
                    *counts,
                    score,
                    talk_ms,
                    number * (EVERY_MS - TALK_MS),
                    number * 9,
                )
            )


def _rows(stay: Stay, said: Sequence[str]) -> Iterator[str]:
    eras = "{" + ",".join(map(str, eras_of(int(session_created_at(stay.session_id).timestamp() * 1000)))) + "}"
    for number, line in enumerate(said):
        start_ms = number * EVERY_MS
        first, end = to_samples(start_ms), to_samples(start_ms + TALK_MS)
        name = utterance_id(stay.session_id, first)
        places = "\t".join(map(str, (number + 1, end, first, end, start_ms, start_ms + TALK_MS)))
        yield f"{name}\t{stay.session_id}\t{eras}\t{places}\t{line}"


def _line(said: Said) -> str:
    """What of a row follows from what is said, as COPY reads it."""
    probabilities = {label: 0.9 if label == said.label else 0.05 for label in _SCORES}
    sentiment = {
        "label": said.label,
        "score": _SCORES[said.label],
        "probabilities": probabilities,
        "model": "shipped-en@1",
    }
    given = said.text, said.language, str(said.words), said.terms, json.dumps(sentiment)
    return "\t".join(value.replace("\\", "\\\\") for value in (*given, *_UTTERANCE.values())) + "\n"
