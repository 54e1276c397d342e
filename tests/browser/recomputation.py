"""A window of statistics as SQL computes it from the stored utterances and the session's length."""

from typing import Any

import psycopg
from psycopg.rows import dict_row

_RECOMPUTE = r"""
    WITH span AS (
        SELECT %(start_ms)s::bigint AS start_ms,
               CASE WHEN %(size_ms)s = 0 THEN through / 16
                    ELSE least(through / 16, %(start_ms)s + %(size_ms)s) END AS end_ms
        FROM sessions WHERE session_id = %(session_id)s
    ), said AS (
        SELECT utterances.*,
               utterances.start_ms >= span.start_ms AND utterances.start_ms < span.end_ms AS starts,
               greatest(0, least(utterances.end_ms, span.end_ms)
                           - greatest(utterances.start_ms, span.start_ms)) AS talk,
               utterances.end_ms - utterances.start_ms AS spoken,
               array_length(regexp_split_to_array(btrim(text), '\s+'), 1) AS words
        FROM utterances, span WHERE session_id = %(session_id)s AND suppressed IS NULL
    )
    SELECT count(*) FILTER (WHERE starts) AS utterances,
           count(*) FILTER (WHERE starts AND label = 'positive') AS positive,
           count(*) FILTER (WHERE starts AND label = 'neutral') AS neutral,
           count(*) FILTER (WHERE starts AND label = 'negative') AS negative,
           avg(score) FILTER (WHERE starts) AS score,
           coalesce(sum(talk), 0)::bigint AS talk_ms,
           (SELECT end_ms - start_ms FROM span) - coalesce(sum(talk), 0)::bigint AS silence_ms,
           coalesce(sum(words) FILTER (WHERE starts), 0)::bigint AS words,
           (sum(words * 60000) FILTER (WHERE starts) / sum(spoken) FILTER (WHERE starts))::float AS words_per_minute,
           (sum(loudness_dbfs * spoken) FILTER (WHERE starts) / sum(spoken) FILTER (WHERE starts))::float
               AS loudness_dbfs
    FROM said"""

TOLERANCES = {"score": 1e-4, "words_per_minute": 1.0, "loudness_dbfs": 0.11}
"""What rounding may make of the values that are not counts."""


def recompute(database: str, session_id: str, window: dict[str, Any]) -> dict[str, Any]:
    """The fields of ``window`` that follow from the utterances, computed anew."""
    place = {"session_id": session_id, "size_ms": window["size_ms"], "start_ms": window["start_ms"]}
    with psycopg.connect(database, row_factory=dict_row) as connection:
        row = connection.execute(_RECOMPUTE, place).fetchone()
    assert row is not None
    return row
