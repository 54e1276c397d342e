"""The horizon: the session id below which the retention of text removes sessions. One row, shared by all archivists.

The age of a session is a matter of clocks, and a clock that jumps forward makes all history look old. So the horizon
moves in steps: at most a week at a time, counted from the oldest stored session, and an hour apart while more is left.
"""

from dataclasses import dataclass

from sqlalchemy import func, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.engine import reading, writing
from storage.forgetting import CONTENT
from storage.schema import horizon
from undertone.identifiers import make_session_id, session_made_ms
from undertone.retention import bounded_sweep_ms


@dataclass(frozen=True, slots=True)
class Step:
    """Where the horizon lies, and how many milliseconds of history past their retention lie behind it."""

    kept_from: str
    left_ms: int


async def read_horizon(engine: AsyncEngine) -> str:
    """The id below which sessions are removed; empty if none ever was. Raises ``TransientError``."""
    async with reading(engine) as connection:
        return await connection.scalar(select(horizon.c.kept_from)) or ""


async def move_horizon(engine: AsyncEngine, oldest: str, every_s: float) -> Step:
    """Move it towards ``oldest``, the id below which sessions are past their retention by the clock of the caller.

    It stays where it is if no stored session is that old, or if it was moved less than ``every_s`` ago (by the clock of
    the database) and more was left. It never lies beyond ``oldest``. Durable on return. Raises ``TransientError``.
    """
    async with writing(engine) as connection:
        first = {"one": True, "kept_from": "", "is_behind": False, "moved_at": func.now()}
        await connection.execute(insert(horizon).values(first).on_conflict_do_nothing())
        age_s = func.abs(func.extract("epoch", func.now() - horizon.c.moved_at))
        known = (await connection.execute(select(horizon, age_s.label("age_s")).with_for_update())).one()
        kept_from = min(known.kept_from, oldest)
        stored = [
            await connection.scalar(select(func.min(table.c.session_id)).where(table.c.session_id < oldest))
            for table in CONTENT
        ]
        past = [session_id for session_id in stored if session_id is not None]
        if not past:
            return Step(kept_from, 0)
        oldest_ms, stored_ms = session_made_ms(oldest), session_made_ms(min(past))
        if not known.is_behind or known.age_s >= every_s:
            kept_from = max(kept_from, make_session_id(bounded_sweep_ms(oldest_ms, stored_ms), 0))
            moved = {"kept_from": kept_from, "is_behind": kept_from < oldest, "moved_at": func.now()}
            await connection.execute(horizon.update().where(true()).values(moved))
        return Step(kept_from, max(0, oldest_ms - max(stored_ms, session_made_ms(kept_from) if kept_from else 0)))
