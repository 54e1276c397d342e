"""Request bodies, read in bounded memory and time."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from undertone.errors import Refusal

SILENT_FOR_S = 30.0


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body, at most ``max_bytes``. Raises ``Refusal``."""
    parts = [part async for part in stream_body(request, max_bytes, "body_too_large")]
    return b"".join(parts)


async def stream_body(request: Request, max_bytes: int, code: str) -> AsyncIterator[bytes]:
    """The body piece by piece. Raises ``Refusal`` with ``code`` past ``max_bytes``, or when the sender falls silent."""
    too_large = Refusal(code, f"at most {max_bytes} bytes are taken at a time: send less", status=413)
    if int(request.headers.get("content-length") or 0) > max_bytes:
        raise too_large
    pieces = request.stream()
    taken = 0
    while True:
        try:
            async with asyncio.timeout(SILENT_FOR_S):
                piece = await anext(pieces, None)
        except TimeoutError as error:
            raise Refusal(
                "body_too_slow", f"nothing came for {SILENT_FOR_S:.0f} s: send it again", status=408, retryable=True
            ) from error
        except ClientDisconnect as error:
            raise Refusal("body_cut", "the connection broke inside the body", status=400, retryable=True) from error
        if piece is None:
            return
        taken += len(piece)
        if taken > max_bytes:
            raise too_large
        yield piece
