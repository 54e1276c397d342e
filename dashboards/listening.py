"""The routes of what was said, to be heard again for as long as its audio is kept."""

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncEngine

from dashboards.answers import KeptAudio
from dashboards.clip import MEDIA_TYPE, asked_part, wav
from dashboards.forms import deleted_session, unknown_utterance
from dashboards.history import FilledHub, check_kept, find_session
from dashboards.hub import Hub
from dashboards.tape import Tape
from storage.engine import reading
from storage.queries import end_of_unheard, one_utterance
from undertone.events import Utterance
from undertone.openapi import Responses, problems
from undertone.topics import place

_SOUND: Responses = {
    status: {"description": words, "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
    for status, words in ((200, "the whole file"), (206, "the part of it that the `Range` header asks for"))
}


def listening_routes(engine: AsyncEngine, filled_hub: FilledHub, tape: Tape) -> APIRouter:
    """The routes that tell what ``tape`` has, and play it."""
    router = APIRouter(prefix="/v1/sessions/{session_id}", responses=problems(410, 503))

    async def find_utterance(session_id: str, utterance_id: str, hub: Hub) -> Utterance:
        """One of the session's utterances; of the last minutes without the history. Raises ``Refusal``."""
        recent = hub.said(session_id, utterance_id)
        if recent is not None:
            return recent
        async with reading(engine) as connection:
            await find_session(connection, session_id, hub)
            found = await one_utterance(connection, session_id, utterance_id)
        if found is None:
            raise unknown_utterance(utterance_id)
        return found

    @router.get("/kept-audio")
    async def kept_audio(session_id: str) -> KeptAudio:
        """From where on the session can be heard."""
        hub = await check_kept(session_id, filled_hub)
        begins = await tape.begins(place(session_id, hub.partitions))
        async with reading(engine) as connection:
            await find_session(connection, session_id, hub)
            return KeptAudio(session_id=session_id, from_ms=await end_of_unheard(connection, session_id, begins))

    @router.get("/utterances/{utterance_id}/audio", response_class=Response, responses=problems(413) | _SOUND)
    async def audio(
        session_id: str, utterance_id: str, asked: Annotated[str | None, Header(alias="range")] = None
    ) -> Response:
        """What was said, as it was sent: WAV (PCM s16le, mono, 16 kHz)."""
        hub = await check_kept(session_id, filled_hub)
        utterance = await find_utterance(session_id, utterance_id, hub)
        file = wav(await tape.read(utterance, place(session_id, hub.partitions)))
        if hub.is_deleted(session_id):  # meanwhile
            raise deleted_session(session_id)
        headers = {
            "accept-ranges": "bytes",
            "cache-control": "private, no-store",  # a deletion reaches no browser's store
            "content-disposition": f'inline; filename="{utterance_id}.wav"',
        }
        part = asked_part(asked, len(file))
        if part is None:
            return Response(file, headers=headers, media_type=MEDIA_TYPE)
        headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{len(file)}"
        return Response(file[part], status_code=206, headers=headers, media_type=MEDIA_TYPE)

    return router
