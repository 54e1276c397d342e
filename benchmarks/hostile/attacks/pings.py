"""Sends WebSocket pings and empty fragments as fast as the server reads them, thousands in one packet."""

import asyncio

from websockets.asyncio.client import ClientConnection

from benchmarks.hostile.stranger import Stranger

SOCKETS = 8
EMPTY_PING = b"\x89\x80\x00\x00\x00\x00"  # masked with zeros: the shortest frame that a client may send
FRAGMENTS = b"\x01\x80\x00\x00\x00\x00" + b"\x00\x80\x00\x00\x00\x00" * 900 + b"\x80\x80\x00\x00\x00\x00"
PINGS = EMPTY_PING * 10_000
LOOK_EVERY_S = 0.002


async def attack(stranger: Stranger) -> None:
    """All answers are read, so that the server has nothing to hold against the sockets but their number."""

    async def flood(number: int) -> None:
        keys = await stranger.make_session()
        async with stranger.socket(keys) as socket:
            reading = asyncio.create_task(_read(stranger, socket))
            try:
                while not reading.done():
                    if not socket.transport.get_write_buffer_size():
                        data = PINGS if number % 4 else FRAGMENTS
                        socket.transport.write(data)
                        stranger.tally.sent_bytes += len(data)
                    await asyncio.sleep(LOOK_EVERY_S)
                await reading
            finally:
                reading.cancel()

    await stranger.side_by_side(SOCKETS, flood)


async def _read(stranger: Stranger, socket: ClientConnection) -> None:
    while True:
        stranger.tally.received_bytes += len(await socket.recv())
