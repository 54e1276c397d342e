"""Search over REST: utterances with what was asked for marked in their texts, and the sessions that they are from."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncEngine

from dashboards.answers import Hit, Part, SearchPage
from dashboards.filters import Wanted
from dashboards.history import Cursor, FilledHub, Limit, check_kept, find_session
from storage.engine import reading
from storage.listing import Filters
from storage.queries import sessions_of
from storage.questions import Question, read_question
from storage.search import search
from undertone.events import Utterance
from undertone.openapi import problems

LONGEST_QUESTION = 200

Words: TypeAlias = Annotated[str, Query(max_length=LONGEST_QUESTION, description='words, "a phrase", the beginnin*')]


def search_routes(engine: AsyncEngine, filled_hub: FilledHub) -> APIRouter:
    """Routes that search ``engine``: all sessions, or one."""
    router = APIRouter(responses=problems(400, 410, 503))

    async def find(words: str, filters: Filters, session_id: str | None, cursor: str | None, limit: int) -> SearchPage:
        question = read_question(words)
        hub = await (filled_hub() if session_id is None else check_kept(session_id, filled_hub))
        async with reading(engine) as connection:
            if session_id is not None:
                await find_session(connection, session_id, hub)
            page = await search(connection, question, filters, session_id=session_id, cursor=cursor, limit=limit)
            found = [utterance for utterance in page.items if not hub.is_deleted(utterance.session_id)]
            sessions = await sessions_of(connection, {utterance.session_id for utterance in found})
        hits = [_hit(question, utterance) for utterance in found]
        return SearchPage(hits=hits, sessions=list(sessions), next=page.next)

    @router.get("/v1/search")
    async def everywhere(q: Words, filters: Wanted, cursor: Cursor = None, limit: Limit = 50) -> SearchPage:
        """Utterances with all of these words, the newest session first."""
        return await find(q, filters, None, cursor, limit)

    @router.get("/v1/sessions/{session_id}/search")
    async def in_one(
        session_id: str, q: Words, filters: Wanted, cursor: Cursor = None, limit: Limit = 50
    ) -> SearchPage:
        """Utterances of one session with all of these words, the last first."""
        return await find(q, filters, session_id, cursor, limit)

    return router


def _hit(question: Question, utterance: Utterance) -> Hit:
    parts = [Part(text=text, match=is_match) for text, is_match in question.parts(utterance.text)]
    return Hit(utterance=utterance, parts=parts)
