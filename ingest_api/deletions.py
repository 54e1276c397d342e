"""Forgetting a session: a record in the topic of deletions, which every part obeys."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from ingest_api.answers import Deleted
from ingest_api.ingest import Ingest
from undertone.access.guard import Guard
from undertone.access.rights import Caller
from undertone.events import Deletion
from undertone.openapi import problems
from undertone.retention import gone_from_logs_by
from undertone.settings import Settings
from undertone.topics import DELETIONS


def deletion_routes(ingest: Ingest, guard: Guard, settings: Settings) -> APIRouter:
    """The route of this module over the running parts."""
    router = APIRouter(prefix="/v1/sessions", tags=["forgetting"])

    @router.delete(
        "/{session_id}", summary="Forget a session for good", response_model=Deleted, responses=problems(503)
    )
    async def delete(session_id: str, caller: Annotated[Caller, Depends(guard)]) -> Response:
        deletion = ingest.follower.knowledge.deletion(session_id)
        if deletion is None:
            deletion = Deletion(session_id=session_id, requested_at=ingest.now(), requested_by=caller.name)
            await ingest.publishers.announce(DELETIONS, session_id, deletion)
            ingest.follower.obey(deletion)  # here from this answer on, elsewhere when the record is read
        deleted = Deleted(
            session_id=session_id,
            deleted_at=deletion.requested_at,
            gone_from_logs_by=gone_from_logs_by(settings, deletion.requested_at),
        )
        return JSONResponse(deleted.model_dump(mode="json"))

    return router
