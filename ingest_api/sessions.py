"""Sessions over plain HTTP: make one, send audio chunk by chunk, stop it.

A chunk is a connection of its own: no server remembers anything between two, so that any replica takes any of them.
Its offset is authoritative: below what is known it is a repeat, beyond it a gap. Send the next one when the last is
answered.
"""

import asyncio
import secrets
import uuid
from typing import Annotated
from weakref import WeakValueDictionary

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest_api.answers import Finished, Made, Stopping, Taken
from ingest_api.audio_log import stopped
from ingest_api.bodies import read_body
from ingest_api.connection import Frame, parse_frame
from ingest_api.ingest import Ingest, finished
from ingest_api.limits import FRAME_HEADER_BYTES
from ingest_api.messages import describe
from undertone.access.quotas import Quotas
from undertone.audio import BYTES_PER_SAMPLE
from undertone.errors import Refusal
from undertone.identifiers import make_session_id
from undertone.languages import Language, check_language
from undertone.normal_form import NormalText
from undertone.openapi import Responses, binary_body, json_body, problems
from undertone.records import Audio, Close, Open
from undertone.tokens import make_token

MAX_JSON_BYTES = 16_384
STOP_WITHIN_S = 20.0
_STOPPING: Responses = {202: {"model": Stopping, "description": "stopped, not yet all final"}}


class NewSession(BaseModel):
    """The body of ``POST /v1/sessions``; all of it may be left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: Annotated[NormalText, Field(max_length=200)] | None = None
    tags: tuple[Annotated[NormalText, Field(max_length=200)], ...] = Field((), max_length=20)
    language: Language = None


def session_routes(ingest: Ingest, quotas: Quotas) -> APIRouter:
    """The routes of this module over the running parts."""
    router = APIRouter(prefix="/v1/sessions", tags=["recording"])
    locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @router.post(
        "",
        status_code=201,
        summary="Make a session",
        dependencies=[Depends(quotas.for_session)],
        response_model=Made,
        responses=problems(400, 408, 413, 429, 503),
        openapi_extra=json_body(NewSession),
    )
    async def create(request: Request) -> Response:
        given = parse_body(await read_body(request, MAX_JSON_BYTES))
        check_language(given.language)
        session_id = make_session_id(ingest.now_ms(), secrets.randbits(74))
        ingest.door.enter(session_id)
        await ingest.publishers.publish(Open(session_id, "", 0, given.language, None, given.title, given.tags))
        now, hours = ingest.now(), ingest.token_hours
        return JSONResponse(
            {
                "session_id": session_id,
                "write_token": make_token(ingest.key, session_id, "write", now, hours, request.state.caller.digest),
                "read_token": make_token(ingest.key, session_id, "read", now, hours),
                "limits": ingest.limits.body(),
            },
            status_code=201,
        )

    @router.post(
        "/{session_id}/audio",
        summary="Send one chunk of audio",
        response_model=Taken,
        responses=problems(400, 408, 409, 410, 413, 429, 503),
        openapi_extra=binary_body("8 bytes, the position of the first sample, then PCM s16le mono at 16 kHz"),
    )
    async def take_chunk(session_id: str, request: Request) -> Response:
        longest = ingest.limits.max_chunk_samples
        chunk = parse_frame(await read_body(request, FRAME_HEADER_BYTES + longest * BYTES_PER_SAMPLE + 1), longest)
        end = chunk.at + chunk.samples
        check_running(ingest, session_id, end)
        # Two chunks at once would shut each other out of the log: within this process they wait for one another.
        async with locks.setdefault(session_id, asyncio.Lock()):
            seen = await ingest.follower.catch_up(session_id)
            check_running(ingest, session_id, end)
            is_jump = ingest.check_jump(session_id, chunk.at)
            at = max(chunk.at, ingest.expected(session_id))
            if is_jump or end - at < ingest.limits.min_frame_samples:
                await ingest.spend(session_id, within_s=0)
            if at < end:
                await write_chunk(ingest, session_id, Frame(at, chunk.pcm[(at - chunk.at) * BYTES_PER_SAMPLE :]), seen)
        return JSONResponse({"next_sample": end})

    @router.post(
        "/{session_id}/stop",
        summary="End the session at a sample",
        response_model=Finished,
        responses=problems(400, 409, 410, 429, 503) | _STOPPING,
    )
    async def stop(session_id: str, next_sample: int, request: Request) -> Response:
        await read_body(request, MAX_JSON_BYTES)  # there is none; unread it would be kept until the answer
        seen = await ingest.follower.catch_up(session_id)
        if ingest.length_if_stopped(session_id) is None:
            check_running(ingest, session_id, next_sample)
            ingest.check_jump(session_id, next_sample)
            await ingest.spend(session_id, within_s=0)
            connection = uuid.uuid4().hex
            with ingest.writer(session_id, connection) as writer:
                await writer.write(
                    Open(session_id, connection, next_sample, seen=seen),
                    Close(session_id, connection, next_sample, "stop"),
                )
        session = await ingest.wait_until_stopped(session_id, STOP_WITHIN_S)
        if session is None:
            return JSONResponse({"type": "stopping", "samples": next_sample}, status_code=202)
        return JSONResponse(finished(session))

    return router


def parse_body(body: bytes) -> NewSession:
    """What is wanted of a new session. Raises ``Refusal``."""
    try:
        return NewSession.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise Refusal("request_invalid", f"the request is wrong: {describe(error)}", status=422) from error


async def write_chunk(ingest: Ingest, session_id: str, chunk: Frame, seen: int) -> None:
    """Write new samples as a connection of their own, and return when they count. Raises ``Refusal``."""
    end = chunk.at + chunk.samples
    if not ingest.takes(session_id, chunk.at, end):
        raise Refusal(
            "too_far_ahead",
            f"the audio is more than {ingest.limits.max_ahead_ms} ms ahead of what is transcribed: wait",
            status=429,
            retryable=True,
            retry_after_ms=1000,
        )
    connection = uuid.uuid4().hex
    size = ingest.limits.max_frame_samples * BYTES_PER_SAMPLE
    parts = [
        Audio(session_id, connection, chunk.at + start // BYTES_PER_SAMPLE, chunk.pcm[start : start + size])
        for start in range(0, len(chunk.pcm), size)
    ]
    ingest.paces.skip(session_id, ingest.expected(session_id), chunk.at)
    with ingest.writer(session_id, connection) as writer:
        await writer.write(Open(session_id, connection, chunk.at, seen=seen), *parts)


def check_running(ingest: Ingest, session_id: str, end: int) -> None:
    """Raise ``Refusal`` if the session is over, or would be too long with ``end``."""
    length = ingest.length_if_stopped(session_id)
    if length is not None:
        raise stopped(length)
    if not 0 <= end <= ingest.limits.max_session_samples:
        hours = ingest.limits.max_session_ms // 3_600_000
        raise Refusal("session_full", f"a session holds at most {hours} hours of audio: start a new one", status=409)
