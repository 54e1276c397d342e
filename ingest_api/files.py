"""Whole files: read to disk, checked, then fed as one connection, no faster than the transcriber follows.

Everything that can be wrong with a file is found before the first sample is taken. A file begins at sample 0 of a
session of its own; after a failure half way the same file may be sent again, and what is known already is a repeat.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ingest_api.answers import FileTaken
from ingest_api.bodies import stream_body
from ingest_api.ingest import LOOK_AGAIN_S, Ingest
from ingest_api.session_writer import SessionWriter
from ingest_api.sessions import check_running
from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from undertone.errors import Refusal
from undertone.events import Session
from undertone.openapi import binary_body, problems
from undertone.recording import decode
from undertone.records import Audio, Close, Open

CONNECTION_PREFIX = "file-"
IN_MEMORY_BYTES = 4_000_000
UPLOAD_WITHIN_S = 900.0
CHECK_WITHIN_S = 300.0
PLACE_WITHIN_S = 5.0
FED_WITHIN_S = 300.0


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
        # What comes slowly must not keep others from being fed: arriving and being fed are places of their own.
        async with _place(ingest.uploads, PLACE_WITHIN_S):
            with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spooled:
                file = cast("BinaryIO", spooled)
                await _spool(request, file, ingest.limits.max_file_megabytes * 1_000_000)
                async with _place(ingest.files, FED_WITHIN_S):
                    samples = await asyncio.to_thread(_measure, file, ingest.limits.max_session_samples)
                    await _feed(ingest, session_id, file, samples)
        return JSONResponse(
            {
                "samples": samples,
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


@asynccontextmanager
async def _place(places: asyncio.Semaphore, within_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(within_s):
            await places.acquire()
    except TimeoutError as error:
        raise Refusal(
            "files_busy",
            "other files are being taken: try again",
            status=503,
            retryable=True,
            retry_after_ms=10_000,
        ) from error
    try:
        yield
    finally:
        places.release()


async def _spool(request: Request, file: BinaryIO, max_bytes: int) -> None:
    try:
        async with asyncio.timeout(UPLOAD_WITHIN_S):
            async for piece in stream_body(request, max_bytes, "file_too_large"):
                await asyncio.to_thread(file.write, piece)
    except TimeoutError as error:
        raise Refusal(
            "file_too_slow", f"the file did not arrive within {UPLOAD_WITHIN_S:.0f} s: stream it instead", status=408
        ) from error


def _measure(file: BinaryIO, max_samples: int) -> int:
    """How many samples the file holds, by decoding all of it. Raises ``Refusal`` for a file that is not taken."""
    deadline = time.monotonic() + CHECK_WITHIN_S
    samples = 0
    for block in decode(file, SAMPLE_RATE):
        samples += len(block) // BYTES_PER_SAMPLE
        if samples > max_samples or time.monotonic() > deadline:
            raise Refusal("file_too_long", "the file holds more audio than a session may: split it", status=413)
    return samples


async def _feed(ingest: Ingest, session_id: str, file: BinaryIO, samples: int) -> None:
    connection = f"{CONNECTION_PREFIX}{uuid.uuid4().hex}"
    seen = await ingest.follower.catch_up(session_id)
    with ingest.writer(session_id, connection) as writer:
        await ingest.spend(session_id, PLACE_WITHIN_S)
        await writer.write(Open(session_id, connection, 0, seen=seen))
        blocks = decode(file, ingest.limits.max_frame_samples)
        at = 0
        while block := await asyncio.to_thread(_next_block, blocks):
            record = Audio(session_id, connection, at, block)
            await _wait_for_room(ingest, writer, record)
            if not ingest.is_known(record):
                await writer.write(record)
            at = record.end
        await writer.write(Close(session_id, connection, samples, "stop"))


async def _wait_for_room(ingest: Ingest, writer: SessionWriter, record: Audio) -> None:
    """Return when ``record`` may be taken. Raises ``Refusal`` once the session is over, or another's."""
    while True:
        writer.watch.check()
        check_running(ingest, record.session_id, record.end)
        if ingest.takes(record.session_id, record.at, record.end):
            return
        await ingest.follower.changed(record.session_id, LOOK_AGAIN_S)


def _next_block(blocks: Iterator[bytes]) -> bytes | None:
    return next(blocks, None)
