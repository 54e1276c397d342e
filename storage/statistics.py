"""Statistics of any stretch of a session, by SQL over its stored utterances: its quarters, which move as it grows.

``stream_apps/windows.py`` keeps the same of windows that stay where they are; ``docs/statistics.md`` has the rules.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.queries import one_session, progress_of
from undertone.audio import to_ms
from undertone.events import Value, Window
from undertone.windows import Place

QUARTERS = 4

# Counts and scores by the start of an utterance (`starts`); talk, silence and pauses by what lies in the stretch.
_RECOMPUTE = text("""
    WITH stretch AS (
        SELECT * FROM unnest(:sizes, :starts, :ends) WITH ORDINALITY AS stretch (size_ms, start_ms, end_ms, number)
    ), said AS MATERIALIZED (
        SELECT start_ms, end_ms, label, words,
               end_ms - start_ms AS spoken_ms,
               CAST(round(score * 10000) AS bigint) AS score_e4,
               CAST(round(loudness_dbfs * 10) AS bigint) * (end_ms - start_ms) AS loudness_dms
        FROM utterances WHERE session_id = :session_id AND suppressed IS NULL
    ), heard AS (
        SELECT number, stretch.start_ms AS from_ms, label, spoken_ms, words, score_e4, loudness_dms,
               said.start_ms >= stretch.start_ms AS starts,
               greatest(said.start_ms, stretch.start_ms) AS talk_from_ms,
               least(said.end_ms, stretch.end_ms) AS talk_to_ms
        FROM stretch JOIN said ON said.start_ms < stretch.end_ms AND said.end_ms >= stretch.start_ms
    ), paused AS (
        SELECT *, talk_from_ms - lag(talk_to_ms, 1, from_ms) OVER (
            PARTITION BY number ORDER BY talk_from_ms, talk_to_ms
        ) AS pause_ms
        FROM heard
    )
    SELECT size_ms, start_ms,
           count(*) FILTER (WHERE starts) AS utterances,
           count(*) FILTER (WHERE starts AND label = 'positive') AS positive,
           count(*) FILTER (WHERE starts AND label = 'neutral') AS neutral,
           count(*) FILTER (WHERE starts AND label = 'negative') AS negative,
           CAST(round(avg(score_e4) FILTER (WHERE starts)) AS bigint) AS score_e4,
           min(score_e4) FILTER (WHERE starts) AS score_min_e4,
           max(score_e4) FILTER (WHERE starts) AS score_max_e4,
           CAST(coalesce(sum(talk_to_ms - talk_from_ms), 0) AS bigint) AS talk_ms,
           CAST(end_ms - start_ms - coalesce(sum(talk_to_ms - talk_from_ms), 0) AS bigint) AS silence_ms,
           greatest(max(pause_ms), end_ms - coalesce(max(talk_to_ms), start_ms)) AS longest_pause_ms,
           CAST(coalesce(sum(words) FILTER (WHERE starts), 0) AS bigint) AS words,
           CAST(round(60000 * sum(words) FILTER (WHERE starts) / sum(spoken_ms) FILTER (WHERE starts)) AS bigint)
               AS words_per_minute,
           CAST(round(sum(loudness_dms) FILTER (WHERE starts) / sum(spoken_ms) FILTER (WHERE starts)) AS bigint)
               AS loudness_ddb
    FROM stretch LEFT JOIN paused USING (number) GROUP BY number, size_ms, start_ms, end_ms ORDER BY number
""").bindparams(*(bindparam(name, type_=ARRAY(BigInteger)) for name in ("sizes", "starts", "ends")))


class Course(Value):
    """A session as a whole and in quarters, as far as its finals and marks are stored.

    ``trend`` is the mean score of the last quarter minus that of the first, None where either has no judged utterance.
    ``quarters`` is empty before anything was heard.
    """

    session_id: str
    seq: int
    length_ms: int
    whole: Window
    quarters: tuple[Window, ...]
    trend: float | None


async def course(connection: AsyncConnection, session_id: str) -> Course:
    """The course of a session; of one that is not stored the course of one in which nothing was heard."""
    # Read first: what is stored in the meantime starts behind it and lies in no stretch.
    seq, through = await progress_of(connection, session_id)
    session = await one_session(connection, session_id)
    is_over = session is not None and session.state == "ended" and seq >= session.seq
    length_ms = to_ms(through)
    places = [Place(0, 0), *quarters(length_ms)]
    found = await recompute(connection, session_id, places, length_ms)
    whole, *parts = (window.model_copy(update={"seq": seq, "final": is_over}) for window in found)
    return Course(
        session_id=session_id, seq=seq, length_ms=length_ms, whole=whole, quarters=tuple(parts), trend=trend(parts)
    )


def quarters(length_ms: int) -> list[Place]:
    """Where the quarters of a session of this length lie; none of one that is too short for four of a millisecond."""
    ends = [length_ms * number // QUARTERS for number in range(QUARTERS + 1)]
    if length_ms < QUARTERS:
        return []
    return [Place(end - start, start) for start, end in pairwise(ends)]


def trend(windows: Sequence[Window]) -> float | None:
    """The last window's mean score minus the first's, four decimals; None where either is None, or there are none."""
    if not windows or windows[0].score is None or windows[-1].score is None:
        return None
    return round(windows[-1].score - windows[0].score, 4)


async def recompute(
    connection: AsyncConnection, session_id: str, places: Sequence[Place], length_ms: int
) -> list[Window]:
    """The windows at ``places`` of a session of this length, in the same order; without ``seq``, and not ``final``."""
    given = {
        "session_id": session_id,
        "sizes": [size_ms for size_ms, _ in places],
        "starts": [start_ms for _, start_ms in places],
        "ends": [min(length_ms, start_ms + size_ms) if size_ms else length_ms for size_ms, start_ms in places],
    }
    rows = await connection.execute(_RECOMPUTE, given)
    return [_window(session_id, dict(row)) for row in rows.mappings()]


def _window(session_id: str, row: dict[str, Any]) -> Window:
    """Whole numbers become what they count in parts of; the division is the statistician's, so are the results."""
    scores = {name: row.pop(f"{name}_e4") for name in ("score", "score_min", "score_max")}
    loudness_ddb = row.pop("loudness_ddb")
    return Window(
        session_id=session_id,
        seq=0,
        final=False,
        loudness_dbfs=None if loudness_ddb is None else loudness_ddb / 10,
        **{name: None if score_e4 is None else score_e4 / 10_000 for name, score_e4 in scores.items()},
        **row,
    )
