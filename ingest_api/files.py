"""Whole files: read to disk, checked, then fed as one connection, no faster than the transcriber follows.

Everything that can be wrong with a file is found before the first sample is taken. A file begins at sample 0 of a
session of its own; after a failure half way, or when the client has left, the same file may be sent again, and what is
known already is a repeat. Nobody but the end of the file ends its session. ``uploads`` says what all of them may hold.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing
from dataclasses import asdict
from typing import Any, BinaryIO, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ingest_api.answers import FileTaken
from ingest_api.ingest import LOOK_AGAIN_S, Ingest
from ingest_api.session_writer import SessionWriter
from ingest_api.sessions import check_running
from undertone.access.quotas import account_of
from undertone.errors import Refusal
from undertone.events import Session
from undertone.openapi import binary_body, problems
from undertone.recording.limits import decode_limits
from undertone.recording.reader import measure_recording, read_sound
from undertone.recording.report import Report
from undertone.recording.silence import Part, Silence
from undertone.records import Audio, Close, Gap, Open

T = TypeVar("T")

CONNECTION_PREFIX = "file-"
CHECK_WITHIN_S = 1800.0
OPEN_WITHIN_S = 5.0


def file_routes(ingest: Ingest) -> APIRouter:
    """The route of this module over the running parts."""
    router = APIRouter(prefix="/v1/sessions", tags=["recording"])

    @router.post(
        "/{session_id}/file",
        summary="Send a whole recording as the request's body",
        response_model=FileTaken,
        responses=problems(400, 408, 409, 410, 413, 415, 429, 503),
        openapi_extra=binary_body("WAV, FLAC, OGG, MP3 or WebM"),
    )
    async def take_file(session_id: str, request: Request) -> Response:
        check_running(ingest, session_id, 0)
        _check_alone(ingest.follower.knowledge.session(session_id))
        if request.headers.get("content-type", "").startswith("multipart/"):
            raise Refusal(
                "multipart_unsupported",
                "the body is the file itself, not a form: curl --data-binary @FILE …",
                status=415,
            )
        ingest.door.check()
        account = account_of(request)
        async with ingest.uploads.receive(request, account) as file:
            report = await _while_connected(request, _take(ingest, session_id, file, account))
        return JSONResponse(
            {
                "samples": report.samples,
                "peak_dbfs": report.peak_dbfs,
                "notes": [asdict(note) for note in report.notes],
                "next": {
                    "session": f"/v1/sessions/{session_id}",
                    "utterances": f"/v1/sessions/{session_id}/utterances",
                    "events": f"/v1/sessions/{session_id}/events",
                },
            }
        )

    return router


def _check_alone(session: Session | None) -> None:
    connection = session.resume.connection if session else ""
    if connection and not connection.startswith(CONNECTION_PREFIX):
        raise Refusal(
            "session_has_audio", "a recorder has spoken in this session: make a new one for the file", status=409
        )


async def _while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, which is cancelled when the client hangs up. The body must have been read."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait([working, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Refusal(
                "body_cut", "the connection broke before the file was taken: send it again", status=400, retryable=True
            )
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _take(ingest: Ingest, session_id: str, file: BinaryIO, account: str) -> Report:
    """Check the file and feed it; returns what the check found."""
    limits = decode_limits(ingest.limits.max_session_samples)
    async with ingest.uploads.take(account):
        report = await measure_recording(file, limits, CHECK_WITHIN_S)
        block_samples = ingest.limits.max_frame_samples
        async with aclosing(read_sound(file, limits, block_samples)) as parts:
            await _feed(ingest, session_id, parts, report.samples)
    return report


async def _feed(ingest: Ingest, session_id: str, parts: AsyncIterator[Part], samples: int) -> None:
    connection = f"{CONNECTION_PREFIX}{uuid.uuid4().hex}"
    seen = await ingest.follower.catch_up(session_id)
    with ingest.writer(session_id, connection) as writer:
        await ingest.spend(session_id, OPEN_WITHIN_S)
        await writer.write(Open(session_id, connection, 0, seen=seen))
        at = 0
        async for part in parts:
            record = _record(session_id, connection, at, part)
            await _wait_for_room(ingest, writer, record)
            if not ingest.is_known(record):
                await writer.write(record)
            if isinstance(record, Gap):
                ingest.paces.skip(session_id, record.at, record.end)
            at = record.end
        await writer.write(Close(session_id, connection, samples, "stop"))


def _record(session_id: str, connection: str, at: int, part: Part) -> Audio | Gap:
    if isinstance(part, Silence):
        return Gap(session_id, connection, at, at + part.samples)
    return Audio(session_id, connection, at, part)


async def _wait_for_room(ingest: Ingest, writer: SessionWriter, record: Audio | Gap) -> None:
    """Return when ``record`` may be taken. Raises ``Refusal`` once the session is over, or another's.

    Silence costs nothing: it may be taken when what lies before it is.
    """
    end = record.at if isinstance(record, Gap) else record.end
    while True:
        writer.watch.check()
        check_running(ingest, record.session_id, record.end)
        if ingest.takes(record.session_id, record.at, end):
            return
        await ingest.follower.changed(record.session_id, LOOK_AGAIN_S)
