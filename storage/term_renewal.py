"""Renews the search terms of utterances that an earlier version of the tokenizer made, batch by batch."""

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.engine import writing
from storage.schema import utterances
from storage.terms import VERSION, vector
from undertone.parts import map_in_parts

BATCH = 500
# A process that stops in the middle keeps its rows locked: PostgreSQL ends it, so that a deletion does not wait.
_BOUND = text("SET LOCAL idle_in_transaction_session_timeout = '10s'")
_IS_EARLIER = text("terms IS NOT NULL AND terms_version < 2")  # as the index utterances_of_earlier_terms has it
_key = utterances.c.utterance_id


async def renew_terms(engine: AsyncEngine, limit: int = BATCH) -> int:
    """Renews up to ``limit`` rows, the newest first, in one transaction; returns how many. Durable on return.

    Nothing but the terms and their version changes. Several processes may do it at once: each takes rows that no other
    holds, and waits for none. A row that was deleted meanwhile stays deleted. Raises as ``storage.upserts.store``.
    """
    async with writing(engine) as connection:
        await connection.execute(_BOUND)
        earlier = select(_key, utterances.c.text).where(_IS_EARLIER).order_by(_key.desc()).limit(limit)
        rows = (await connection.execute(earlier.with_for_update(skip_locked=True))).all()
        terms = await map_in_parts(vector, [row.text for row in rows])
        if rows:
            await connection.execute(
                update(utterances)
                .where(_key == bindparam("key"))
                .values(terms=bindparam("renewed"), terms_version=VERSION),
                [{"key": row.utterance_id, "renewed": new} for row, new in zip(rows, terms, strict=True)],
            )
    return len(rows)
