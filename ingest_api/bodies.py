"""Request bodies, read in bounded memory and time."""

import asyncio
import time
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from undertone.access.limits import Holding
from undertone.errors import Refusal
from undertone.local.request_clock import SLOWEST_BYTES_PER_S

SILENT_FOR_S = 30.0


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the whole body, at most ``max_bytes``, within ``Quotas.for_body``. Raises ``Refusal``."""
    held: Holding = request.state.held_body
    body = bytearray()  # a list of pieces would take many times the space of what comes byte by byte
    async for piece in stream_body(request, max_bytes, "body_too_large"):
        held.take(len(piece))
        body += piece
    return bytes(body)


async def stream_body(request: Request, max_bytes: int, code: str) -> AsyncIterator[bytes]:
    """The body piece by piece. Raises ``Refusal`` with ``code`` past ``max_bytes``, or when it comes too slowly."""
    too_large = Refusal(code, f"at most {max_bytes} bytes are taken at a time: send less", status=413)
    if int(request.headers.get("content-length") or 0) > max_bytes:
        raise too_large
    pieces = request.stream()
    began_s, taken = time.monotonic(), 0
    while True:
        may_last_s = SILENT_FOR_S + taken / SLOWEST_BYTES_PER_S
        try:
            async with asyncio.timeout(min(SILENT_FOR_S, began_s + may_last_s - time.monotonic())):
                piece = await anext(pieces, None)
        except TimeoutError as error:
            raise Refusal(
                "body_too_slow",
                f"nothing came for {SILENT_FOR_S:.0f} s, or less than {SLOWEST_BYTES_PER_S} bytes in a second: "
                "send it again",
                status=408,
                retryable=True,
            ) from error
        except ClientDisconnect as error:
            raise Refusal("body_cut", "the connection broke inside the body", status=400, retryable=True) from error
        if piece is None:
            return
        taken += len(piece)
        if taken > max_bytes:
            raise too_large
        yield piece
