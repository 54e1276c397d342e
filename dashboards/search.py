"""Search over REST: utterances with what was asked for marked in their texts, and the sessions that they are from."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from dashboards.answers import Hit, Part, SearchPage
from dashboards.filters import Wanted
from dashboards.forms import viewer_json
from dashboards.history import Cursor, FilledHub, Limit, check_kept, find_session
from dashboards.reads import Reader, Reads, json_list, json_stream
from storage.engine import reading
from storage.listing import Filters
from storage.queries import sessions_of
from storage.questions import Question, read_question
from storage.search import search
from undertone.events import Session, Utterance
from undertone.normal_form import NormalText
from undertone.openapi import problems

LONGEST_QUESTION = 200
HITS_AT_ONCE = 20

Words: TypeAlias = Annotated[
    NormalText, Query(max_length=LONGEST_QUESTION, description='words, "a phrase", the beginnin*')
]


def search_routes(engine: AsyncEngine, filled_hub: FilledHub, reads: Reads) -> APIRouter:
    """Routes that search ``engine``: all sessions, or one."""
    router = APIRouter(responses=problems(400, 410, 429, 503))
    ByTurns: TypeAlias = Annotated[Reader, Depends(reads.reader)]

    async def find(
        reader: Reader, words: str, filters: Filters, session_id: str | None, cursor: str | None, limit: int
    ) -> Response:
        question = read_question(words)
        await reader.turn()
        hub = await (filled_hub() if session_id is None else check_kept(session_id, filled_hub))
        async with reading(engine) as connection:
            if session_id is not None:
                await find_session(connection, session_id, hub)
            page = await search(connection, question, filters, session_id=session_id, cursor=cursor, limit=limit)
            found = [utterance for utterance in page.items if not hub.is_deleted(utterance.session_id)]
            sessions = await sessions_of(connection, {utterance.session_id for utterance in found})
        return json_stream(_written(question, found, sessions, page.next, reader))

    @router.get("/v1/search", response_model=SearchPage)
    async def everywhere(
        reader: ByTurns, q: Words, filters: Wanted, cursor: Cursor = None, limit: Limit = 50
    ) -> Response:
        """Utterances with all of these words, the newest session first."""
        return await find(reader, q, filters, None, cursor, limit)

    @router.get("/v1/sessions/{session_id}/search", response_model=SearchPage)
    async def in_one(
        reader: ByTurns, session_id: str, q: Words, filters: Wanted, cursor: Cursor = None, limit: Limit = 50
    ) -> Response:
        """Utterances of one session with all of these words, the last first."""
        return await find(reader, q, filters, session_id, cursor, limit)

    return router


async def _written(
    question: Question, found: Sequence[Utterance], sessions: Sequence[Session], cursor: str | None, reader: Reader
) -> AsyncIterator[str]:
    """A ``SearchPage`` in pieces: to mark the hits in long texts takes its time."""
    between = '{"hits":['
    for start in range(0, len(found), HITS_AT_ONCE):
        if start:
            await reader.turn()
        yield between + ",".join(viewer_json(_hit(question, each)) for each in found[start : start + HITS_AT_ONCE])
        between = ","
    yield '],"sessions":' if found else '{"hits":[],"sessions":'
    async for piece in json_list(sessions):
        yield piece
    yield f',"next":{json.dumps(cursor)}}}'


def _hit(question: Question, utterance: Utterance) -> Hit:
    parts = [Part(text=text, match=is_match) for text, is_match in question.parts(utterance.text)]
    return Hit(utterance=utterance, parts=parts)
