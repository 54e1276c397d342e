"""HTTP byte by byte, for tests of what no well-behaved client sends."""

import asyncio
from contextlib import suppress


async def drip(port: int, begin: bytes, word: bytes, within_s: float = 20) -> bytes:
    """What the server says to ``begin`` and then ``word`` again and again, once it has hung up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begin)
    answer = asyncio.ensure_future(read_all(reader))
    try:
        async with asyncio.timeout(within_s):
            while not answer.done():
                with suppress(ConnectionError):
                    writer.write(word)
                    await writer.drain()
                await asyncio.wait([answer], timeout=0.1)
            return answer.result()
    finally:
        writer.close()


async def say(port: int, request: bytes, within_s: float = 20) -> bytes:
    """What the server says to ``request`` until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(within_s):
            writer.write(request)
            return await read_all(reader)
    finally:
        writer.close()


async def read_all(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection ends; what was said before a reset stays."""
    said = bytearray()
    with suppress(ConnectionError):
        while piece := await reader.read(1000):
            said.extend(piece)
    return bytes(said)
