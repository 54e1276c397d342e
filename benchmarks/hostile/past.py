"""What an attacker did long before: a session of 20 hours with thousands of utterances and windows in the history.

A stranger makes one by recording for 20 hours; here the rows are stored as the archivist would have stored them.
"""

import asyncio
import secrets
import time
from datetime import UTC, datetime
from random import Random
from typing import Any

import psutil

from storage.engine import make_engine
from storage.upserts import Sourced, store
from tests.storage_events import session, utterance, window
from undertone.audio import to_samples
from undertone.events import Event
from undertone.identifiers import make_session_id, session_created_at, utterance_id
from undertone.session_keys import SessionKeys
from undertone.tokens import make_token

SEED = 20260101
HOURS = 20
UTTERANCES = 5000
BATCH = 500
SAID_MS = 8000
SAID_WORDS = 60
WINDOW_SIZES_MS = (10_000, 60_000)
WORDS = """
about all also always and back because before both bring but call can come could day each even every
find first for from get give good great have her here how if in into it just know last let like little
long look made make many may more most much must never new not now of off old on only open or other our
out over own part people place put right said same say see she should so some still such take tell than
that the their them then there these they thing this time to too two under up us use very want was way
we well went were what when where which while who will with word work would year you
""".split()  # noqa: SIM905 - a list of words reads better as words
_TOPIC = "benchmark"  # no topic of ours: the offsets below are of no log


def make_session_keys(secret: str, hours_ago: float = 0) -> SessionKeys:
    """A session that was made so long ago, with new tokens, of which the log knows nothing yet."""
    session_id = make_session_id(round((time.time() - hours_ago * 3600) * 1000), secrets.randbits(74))
    now = datetime.now(UTC)
    return SessionKeys(
        session_id, make_token(secret, session_id, "write", now, 24), make_token(secret, session_id, "read", now, 24)
    )


def database_of(pid: int) -> str:
    """The address of PostgreSQL that the parts of the ``up`` with this process id were told."""
    for process in psutil.Process(pid).children(recursive=True):
        if (found := process.environ().get("UNDERTONE_DATABASE")) is not None:
            return found
    raise LookupError("no part of it knows a database")


async def store_long_session(database: str, keys: SessionKeys) -> None:
    """Store an ended session of 20 hours under these keys, with its utterances and their windows."""
    items = await asyncio.to_thread(long_session, keys.session_id)
    engine = make_engine(database)
    try:
        for start in range(0, len(items), BATCH):
            await store(engine, items[start : start + BATCH])
    finally:
        await engine.dispose()


def long_session(session_id: str) -> list[Sourced]:
    """The records of the session, in order."""
    random = Random(SEED)
    length_ms, apart_ms = HOURS * 3_600_000, HOURS * 3_600_000 // UTTERANCES
    through = to_samples(length_ms)
    given: dict[str, Any] = {"session_id": session_id}
    made: dict[str, Any] = {"created_at": session_created_at(session_id), "language": "en", "utterances": UTTERANCES}
    events: list[Event] = [
        session(**given, **made, state="ended", reason="stop", through=through, seq=UTTERANCES + 1),
        window(**given, size_ms=0, final=True, seq=UTTERANCES + 1, utterances=UTTERANCES),
    ]
    spoken_in: dict[tuple[int, int], int] = {}
    for seq in range(1, UTTERANCES + 1):
        start_ms = (seq - 1) * apart_ms
        first, end = to_samples(start_ms), to_samples(start_ms + SAID_MS)
        events.append(
            utterance(
                **given,
                utterance_id=utterance_id(session_id, first),
                seq=seq,
                through=end,
                first_sample=first,
                end_sample=end,
                start_ms=start_ms,
                end_ms=start_ms + SAID_MS,
                text=" ".join(random.sample(WORDS, SAID_WORDS)),
            )
        )
        for size_ms in WINDOW_SIZES_MS:
            for at_ms in (start_ms, start_ms + SAID_MS - 1):
                spoken_in[size_ms, at_ms // size_ms * size_ms] = seq
    events += [
        window(**given, size_ms=size_ms, start_ms=start_ms, seq=seq, final=True)
        for (size_ms, start_ms), seq in spoken_in.items()
    ]
    return [Sourced(_TOPIC, 0, offset, event) for offset, event in enumerate(events)]
