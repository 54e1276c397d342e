"""Server-sent events with real Kafka, PostgreSQL and HTTP: snapshot, live, resume, reset, slow viewers, trouble."""

import asyncio
import json
import re
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import SecretStr

from dashboards import app as app_module
from dashboards import follower, hub, viewers
from dashboards.app import make_app
from dashboards.follower import Follower
from dashboards.positions import write_position
from dashboards.streams import Pace
from storage.migrations import upgrade
from tests.conftest import running
from tests.storage_events import mark, partial, session, session_id, utterance, window
from tests.viewing import Stream, Writer, served, watching
from tests.waiting import until
from undertone.access.keys import make_key
from undertone.access.rights import Right
from undertone.events import Event, Session
from undertone.kafka import client_options, open_publisher, topic_name
from undertone.local.postgres import EmbeddedPostgres
from undertone.settings import Settings
from undertone.tokens import make_token
from undertone.topics import SESSIONS, place

ONE = f"/v1/sessions/{session_id()}/events"


def shown(event: Event) -> Any:
    return event.model_dump(mode="json", exclude={"resume"} if isinstance(event, Session) else None)


async def live_finals(stream: Stream, count: int) -> list[int]:
    return [(await stream.until("utterance"))["seq"] for _ in range(count)]


async def test_a_snapshot_then_live_without_gap_or_repeat(whole: Settings, writer: Writer) -> None:
    of_all = window(size_ms=0, seq=2, silence_ms=23_000)
    await writer.write(
        session(seq=2), session(2), utterance(seq=1), window(start_ms=10_000, seq=1), of_all, mark(seq=2)
    )
    await writer.archive()
    await writer.write(utterance(seq=3), partial(first_sample=240_000))  # behind the rows, in the ring or on its way
    async with served(make_app(whole)) as address, watching(address, ONE) as stream:
        assert stream.response.headers["cache-control"] == "no-store"
        assert stream.response.headers["x-accel-buffering"] == "no"
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        first = await stream.next()
        assert first.name == "snapshot"
        assert first.id
        assert first.data["complete"] is True
        assert first.data["more"] is False
        assert first.data["sessions"] == [shown(session(seq=2))]
        assert first.data["utterances"] == [shown(utterance(seq=1))]
        assert [first.data["windows"][number] for number in (0, 3)] == [
            shown(of_all),
            shown(window(start_ms=10_000, seq=1)),
        ]
        empty = [(item["size_ms"], item["start_ms"], item["silence_ms"]) for item in first.data["windows"]]
        assert empty[1:3] + empty[4:] == [(60_000, 0, 25_000), (10_000, 0, 10_000), (10_000, 20_000, 5_000)]
        assert await stream.until("utterance") == shown(utterance(seq=3))
        await writer.write(utterance(2, seq=1), utterance(seq=3, text="again"), session(seq=4), utterance(seq=4))
        assert await live_finals(stream, 1) == [4]


async def test_all_sessions_with_the_last_words_and_whole_windows_of_each(whole: Settings, writer: Writer) -> None:
    await writer.write(session(1, state="ended", reason="stop"), session(2))
    await writer.write(*(utterance(number, seq) for number in (1, 2) for seq in (1, 2)))
    await writer.write(window(1, seq=2), window(1, size_ms=0, seq=2))
    await writer.archive()
    async with served(make_app(whole)) as address, watching(address, "/v1/events") as stream:
        data = (await stream.next()).data
        assert [item["session_id"] for item in data["sessions"]] == [session_id(2), session_id(1)]
        assert data["utterances"] == [shown(utterance(1, 2)), shown(utterance(2, 2))]
        assert data["windows"] == [shown(window(1, size_ms=0, seq=2))]
        await writer.write(partial(2, first_sample=200_000))
        assert await stream.until("partial") == shown(partial(2, first_sample=200_000))


async def test_the_last_minutes_of_live_sessions_come_with_the_snapshot_of_all(whole: Settings, writer: Writer) -> None:
    last = 600_000  # ten minutes are heard
    mood = [window(start_ms=start_ms) for start_ms in (0, last - 300_000 - 10_000, last - 300_000, last - 10_000)]
    silent = window(start_ms=last - 20_000, score=None, negative=0)
    await writer.write(session(), session(2, state="ended", reason="stop"), *mood, silent)
    await writer.write(window(size_ms=60_000, start_ms=last - 60_000), window(2, start_ms=last - 10_000))
    await writer.write(*(mark(number, seq=2, through=last * 16) for number in (1, 2)))
    await writer.archive()
    async with served(make_app(whole)) as address, watching(address, "/v1/events") as stream:
        assert (await stream.next()).data["windows"] == [shown(mood[2]), shown(mood[3])]


@pytest.mark.parametrize("path", [ONE, "/v1/events"])
async def test_a_cut_viewer_resumes_where_it_was(whole: Settings, writer: Writer, path: str) -> None:
    await writer.write(session())
    await writer.archive()
    async with served(make_app(whole)) as address:
        async with watching(address, path) as stream:
            await writer.write(*(utterance(seq=seq) for seq in (1, 2)))
            assert await live_finals(stream, 1) == [1]
        await writer.write(utterance(seq=3))
        async with watching(address, path, stream.last_id) as resumed:
            assert await live_finals(resumed, 2) == [2, 3]
        async with watching(address, path, last_event_id=resumed.last_id) as resumed:
            await writer.write(utterance(seq=4))
            sent = await resumed.next()
            assert (sent.name, sent.data["seq"]) == ("utterance", 4)
    async with served(make_app(whole)) as replica, watching(replica, path, resumed.last_id) as resumed:
        await writer.write(utterance(seq=5))
        assert await live_finals(resumed, 1) == [5]


@pytest.mark.parametrize("cursor", ["nonsense", "AQAA"])
async def test_a_cursor_of_no_use_gets_reset_and_a_snapshot(whole: Settings, writer: Writer, cursor: str) -> None:
    await writer.write(session())
    await writer.archive()
    async with served(make_app(whole)) as address, watching(address, ONE, cursor) as stream:
        sent = await stream.next()
        assert (sent.name, sent.id, sent.data) == ("reset", "", {"type": "reset"})
        assert (await stream.next()).data["sessions"] == [shown(session())]


async def test_a_cursor_ahead_of_the_log_gets_reset(whole: Settings, writer: Writer) -> None:
    """The log was made anew under a page that stayed open."""
    await writer.write(session())
    app = make_app(whole, Pace(catch_up_s=0.1))
    async with served(app) as address, watching(address, ONE, write_position((9, 9, 9, 9))) as stream:
        assert (await stream.next()).name == "reset"


async def test_a_cursor_older_than_the_ring_gets_reset(
    whole: Settings, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await writer.write(session())
    await writer.archive()
    async with served(make_app(whole)) as address, watching(address, ONE) as stream:
        await writer.write(utterance(seq=1))
        await live_finals(stream, 1)
        old = stream.last_id
    await writer.write(utterance(seq=2))
    await writer.archive()
    monkeypatch.setattr(app_module, "Follower", lambda settings, **rest: Follower(settings, keep_ms=-60_000, **rest))
    async with served(make_app(whole)) as address, watching(address, ONE, old) as stream:
        assert (await stream.next()).name == "reset"
        data = (await stream.next()).data
        assert data["complete"] is True
        assert [item["seq"] for item in data["utterances"]] == [1, 2]


async def test_a_snapshot_older_than_the_ring_is_bridged_from_the_log(
    whole: Settings, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await writer.write(session(), utterance(seq=1))
    await writer.archive()
    await writer.write(utterance(2, seq=1), utterance(seq=2), mark(seq=3), utterance(seq=4))
    monkeypatch.setattr(app_module, "Follower", lambda settings, **rest: Follower(settings, keep_ms=-60_000, **rest))
    async with served(make_app(whole)) as address, watching(address, ONE) as stream:
        data = (await stream.next()).data
        assert data["complete"] is True
        assert [item["seq"] for item in data["utterances"]] == [1]
        assert await live_finals(stream, 2) == [2, 4]
        await writer.write(utterance(seq=5))
        assert await live_finals(stream, 1) == [5]


async def test_a_bridge_that_cannot_be_built_is_said_and_never_resets(
    whole: Settings, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await writer.write(session())
    await writer.archive()
    await writer.write(*(utterance(seq=seq) for seq in (1, 2, 3)))
    monkeypatch.setattr(follower, "MAX_BRIDGED", 1)
    monkeypatch.setattr(app_module, "Follower", lambda settings, **rest: Follower(settings, keep_ms=-60_000, **rest))
    async with served(make_app(whole)) as address:
        async with watching(address, ONE) as stream:
            data = (await stream.next()).data
            assert data["complete"] is False
            assert data["sessions"] == [shown(session())]
        async with watching(address, ONE, stream.last_id) as stream:
            await writer.write(utterance(seq=4))
            sent = await stream.next()
            assert (sent.name, sent.data["seq"]) == ("utterance", 4)


async def test_void_partials_are_not_in_a_snapshot(whole: Settings, writer: Writer) -> None:
    await writer.write(session(), session(2))
    async with served(make_app(whole)) as address, watching(address, "/v1/events") as stream:
        await stream.next()
        await writer.write(partial(1, first_sample=0))
        await stream.until("partial", session_id=session_id(1))
        await writer.write(partial(2, first_sample=0))
        await stream.until("partial", session_id=session_id(2))
        await writer.write(mark(1, through=160_000))
        await writer.archive()
        async with watching(address, "/v1/events") as later:
            assert (await later.next()).data["partials"] == [shown(partial(2, first_sample=0))]
        await writer.write(session(2, seq=1, through=160_000))
        await stream.until("session", session_id=session_id(2), seq=1)
        async with watching(address, "/v1/events") as later:
            assert (await later.next()).data["partials"] == []


async def test_heartbeats_without_an_id_and_rotation(whole: Settings, writer: Writer) -> None:
    await writer.write(session())
    await writer.archive()
    pace = Pace(heartbeat_s=0.2, rotate_s=0.5, rotate_jitter_s=0.1, jitter=lambda: 1.0)
    async with served(make_app(whole, pace)) as address, watching(address, ONE) as stream:
        sent = await stream.rest()
    assert sent[0].name == "snapshot"
    beats = [block for block in sent[1:] if block.name == "heartbeat"]
    assert len(beats) >= 3
    assert {block.id for block in beats} == {None}
    assert sent[-1].name is None
    assert sent[-1].id


async def test_a_slow_viewer_is_closed_and_resumes_without_a_gap(
    whole: Settings, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The viewer stops reading; its socket fills, then its backlog, and it is let go."""
    count = 150
    await writer.write(session())
    await writer.archive()

    def small(name: str | None, slots: tuple[int, ...], start: dict[int, int]) -> viewers.Viewer:
        return viewers.Viewer(name, slots, start, max_behind=20)

    monkeypatch.setattr(hub, "Viewer", small)
    app = make_app(whole, Pace(send_timeout_s=0.5))
    async with served(app) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(slow, (host, int(port)))
            await loop.sock_sendall(slow, f"GET {ONE} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            got = b""
            while b"event: snapshot" not in got:
                received = await loop.sock_recv(slow, 4096)
                assert received, got
                got += received
            for seq in range(1, count + 1):
                await writer.write(utterance(seq=seq, text="가" * 19_000))

            async def let_go() -> bool:
                async with httpx.AsyncClient() as client:
                    text = (await client.get(f"{address}/metrics")).text
                return "undertone_viewers 0.0" in text

            await until(let_go, 20)
            while chunk := await loop.sock_recv(slow, 1 << 20):
                got += chunk
        whole_blocks = got.decode().split("\r\n\r\n", 1)[1].replace("\r\n", "\n")
        seen, last_id = _finals_of(whole_blocks)
        assert len(seen) < count
        async with watching(address, ONE, last_id) as stream:
            seen += await live_finals(stream, count - len(seen))
    assert seen == list(range(1, count + 1))


def _finals_of(text: str) -> tuple[list[int], str]:
    """Sequence numbers and the last id in the blocks that arrived whole (chunk sizes lie in between)."""
    seen, last_id = [], ""
    for name_id in re.finditer(r"id: (\S+)\nevent: (\w+)\ndata: (.*?)\n\n", text, re.DOTALL):
        cursor, name, data = name_id.groups()
        try:
            found = json.loads(re.sub(r"\n[0-9a-f]+\n", "", data))
        except ValueError:
            break
        last_id = cursor
        if name == "utterance":
            seen.append(found["seq"])
    return seen, last_id


async def test_a_new_session_can_be_followed_with_its_token_before_it_is_known(whole: Settings, writer: Writer) -> None:
    token = make_token(whole.signing_key(), session_id(), "read", datetime.now(UTC), 1)
    async with served(make_app(whole)) as address:
        async with watching(address, ONE, token=token) as stream:
            data = (await stream.next()).data
            assert (data["complete"], data["sessions"]) == (True, [])
            await writer.write(session(state="open"))
            assert (await stream.until("session"))["state"] == "open"
        async with httpx.AsyncClient(base_url=address) as client:
            answer = await client.get(f"/v1/sessions/{session_id(2)}/events", params={"token": token})
            assert (answer.status_code, answer.json()["code"]) == (403, "token_foreign")
            answer = await client.get("/v1/events", params={"token": token})
            assert answer.status_code == 403


async def test_too_many_viewers_are_refused_with_a_time_to_come_back(whole: Settings, writer: Writer) -> None:
    app = make_app(whole, Pace(max_viewers=1))
    async with served(app) as address, watching(address, "/v1/events") as stream:
        await stream.next()
        async with httpx.AsyncClient(base_url=address) as client:
            answer = await client.get("/v1/events")
    assert (answer.status_code, answer.json()["code"]) == (503, "too_many_viewers")
    assert answer.headers["retry-after"] == "10"


async def test_while_kafka_is_away_viewers_are_told_to_come_back(settings: Settings, database: str) -> None:
    gone = settings.model_copy(update={"database": SecretStr(database), "kafka": "127.0.0.1:1"})
    async with served(make_app(gone, Pace(fill_wait_s=0.2))) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.get("/v1/events")
        assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (503, "not_ready", True)
        assert (await client.get("/readyz")).status_code == 503


async def test_while_postgres_is_away_the_live_view_goes_on(topics: Settings, tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    with running(server):
        upgrade(server.url)
        whole = topics.model_copy(update={"database": SecretStr(server.url)})
    async with open_publisher(whole) as publisher, served(make_app(whole)) as address:
        writer = Writer(publisher, whole)
        async with watching(address, "/v1/events") as stream:
            data = (await stream.next()).data
            assert data["complete"] is False
            await writer.write(session(), utterance(seq=1), window(seq=1), window(size_ms=0, seq=1))
            await stream.until("window", size_ms=0)
        async with watching(address, ONE) as stream:
            data = (await stream.next()).data
            assert data["complete"] is False
            assert data["sessions"] == [shown(session())]
            assert data["utterances"] == [shown(utterance(seq=1))]
            assert len(data["windows"]) == 2
            await writer.write(window(size_ms=60_000, seq=1), window(start_ms=10_000, seq=1, score=None, negative=0))
            await writer.write(window(size_ms=0, seq=2, silence_ms=31_000))
            await stream.until("window", size_ms=0)
            async with watching(address, "/v1/events") as of_all:
                windows = (await of_all.next()).data["windows"]
                assert [item["size_ms"] for item in windows] == [10_000, 0], "what a glance needs"
            async with watching(address, ONE) as filled:
                windows = (await filled.next()).data["windows"]
                silent = [item["start_ms"] for item in windows if item["silence_ms"] in (10_000, 3_000)]
                assert sorted(silent) == [20_000, 30_000], "the ring knows of no words there"
            await writer.write(utterance(seq=2))
            assert await live_finals(stream, 1) == [2]
            with running(server):
                await writer.archive()
                async with watching(address, ONE) as again:
                    data = (await again.next()).data
                    assert data["complete"] is True
                    assert [item["seq"] for item in data["utterances"]] == [1, 2]
                await writer.write(utterance(seq=3))
                assert await live_finals(stream, 1) == [3]


async def test_sessions_lie_in_the_partition_of_their_id(whole: Settings, writer: Writer) -> None:
    """What cursors of one session rest on."""
    await writer.write(*(session(number) for number in range(1, 9)))
    name = topic_name(whole, SESSIONS)
    consumer = AIOKafkaConsumer(**client_options(whole))
    await consumer.start()
    ends = await consumer.end_offsets([TopicPartition(name, number) for number in range(whole.partitions)])
    await consumer.stop()
    expected = [0] * whole.partitions
    for number in range(1, 9):
        expected[place(session_id(number), whole.partitions)] += 1
    assert [ends[TopicPartition(name, number)] for number in range(whole.partitions)] == expected


async def test_streams_of_an_address_are_counted_while_they_are_open(whole: Settings) -> None:
    closed = whole.model_copy(update={"access": "closed", "streams_per_address": 2})
    key = make_key(closed.keys_file(), "ana", [Right.READ])
    shown = {"Authorization": f"Bearer {key}"}
    async with (
        served(make_app(closed)) as address,
        httpx.AsyncClient(base_url=address, headers=shown, timeout=30) as client,
    ):

        async def ask() -> int:
            async with client.stream("GET", "/v1/events") as answer:
                return answer.status_code

        async with client.stream("GET", "/v1/events") as first, client.stream("GET", "/v1/events") as second:
            assert (first.status_code, second.status_code) == (200, 200)
            refused = await client.get("/v1/events")
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
            assert refused.headers["retry-after"] == "10"

        async def has_room() -> bool:
            return await ask() == 200

        await until(has_room, 20, "the places are given back")
