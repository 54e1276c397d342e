"""What stays open ends soon after what opened it: event streams, and audio WebSockets."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta

import httpx
from pydantic import SecretStr
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from dashboards.app import make_app
from storage.migrations import upgrade
from tests.ingest_serving import serve_ingest
from tests.viewing import served
from undertone.access.keys import drop_key, make_key
from undertone.access.rights import Right
from undertone.settings import Settings
from undertone.tokens import LEEWAY, sign

LATE_S = 60.0
"""A stream that nothing ends goes on for five minutes."""


async def test_the_stream_of_a_key_that_is_dropped_ends(topics: Settings, database: str) -> None:
    upgrade(database)
    settings = topics.model_copy(update={"database": SecretStr(database), "access": "closed"})
    key = make_key(settings.keys_file(), "ana", [Right.READ])
    shown = {"Authorization": f"Bearer {key}"}
    async with served(make_app(settings)) as url, httpx.AsyncClient(base_url=url, timeout=LATE_S) as http:
        async with asyncio.timeout(LATE_S), http.stream("GET", "/v1/events", headers=shown) as answer:
            assert answer.status_code == 200
            lines = answer.aiter_lines()
            await anext(lines)
            drop_key(settings.keys_file(), "ana")
            async for _ in lines:
                pass
        assert (await http.get("/v1/events", headers=shown)).json()["code"] == "key_unknown"


async def test_a_socket_whose_token_expires_is_closed(topics: Settings) -> None:
    async with serve_ingest(topics) as running:
        made = await running.make()
        lasts = timedelta(seconds=6) - LEEWAY
        claims = {"sub": made.session_id, "right": "write"}
        token = sign(topics.signing_key(), "session", claims, datetime.now(UTC), lasts)
        address = f"{running.url.replace('http', 'ws', 1)}/v1/sessions/{made.session_id}/audio?token={token}"
        async with asyncio.timeout(LATE_S), connect(address) as socket:
            await socket.send(
                json.dumps({"type": "start", "next_sample": 0, "sample_rate": 16_000, "encoding": "pcm_s16le"})
            )
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await socket.recv()
            assert (socket.close_code, socket.close_reason) == (4401, "token_expired")
