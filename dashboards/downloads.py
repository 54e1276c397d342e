"""A session as a file to keep, sent while it is read: its length is no matter."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncEngine

from dashboards.answers import Exported
from dashboards.exports import MEDIA_TYPES, Format, disposition, write
from dashboards.history import FilledHub, check_kept, find_session
from dashboards.reads import STEP_ITEMS, Reader, Reads
from storage.engine import reading
from storage.queries import utterance_page
from undertone.events import Utterance
from undertone.openapi import Responses, problems

_FILES: Responses = {
    200: {
        "description": "the file",
        "model": Exported,  # of JSON
        "content": {
            kind.partition(";")[0]: {"schema": {"type": "string"}}
            for form, kind in MEDIA_TYPES.items()
            if form != "json"
        },
    }
}


def download_routes(engine: AsyncEngine, filled_hub: FilledHub, reads: Reads) -> APIRouter:
    """The route of the export."""
    router = APIRouter(responses=problems(410, 429, 503) | _FILES)

    async def read_on(session_id: str, reader: Reader, *, suppressed: bool) -> AsyncIterator[list[Utterance]]:
        """A session's utterances page by page. A slow receiver holds no connection of ours meanwhile."""
        cursor = None
        while not (await filled_hub()).is_deleted(session_id):
            await reader.turn()
            async with reading(engine) as connection:
                page = await utterance_page(connection, session_id, cursor=cursor, limit=STEP_ITEMS)
            yield [utterance for utterance in page.items if suppressed or utterance.quality.suppressed is None]
            cursor = page.next
            if cursor is None:
                return

    @router.get("/v1/sessions/{session_id}/export", response_class=StreamingResponse)
    async def export(
        session_id: str,
        reader: Annotated[Reader, Depends(reads.reader)],
        form: Annotated[Format, Query(alias="format")],
        suppressed: Annotated[bool, Query(description="also what the transcriber refused")] = False,
    ) -> StreamingResponse:
        """The whole session as a file: subtitles, a table or JSON."""
        hub = await check_kept(session_id, filled_hub)
        async with reading(engine) as connection:
            session = await find_session(connection, session_id, hub)
        pages = read_on(session_id, reader, suppressed=suppressed)
        headers = {"content-disposition": disposition(session, form), "cache-control": "no-store"}
        return StreamingResponse(write(form, session, pages), media_type=MEDIA_TYPES[form], headers=headers)

    return router
