"""The audio WebSocket on a real server and a real Kafka."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.ingest_serving import (
    START,
    Made,
    Served,
    frame,
    heard,
    heard_entries,
    pcm,
    read_entries,
    read_log,
    read_until,
    serve_ingest,
    tell,
)
from tests.waiting import until
from undertone.events import Worker
from undertone.kafka import open_publisher
from undertone.records import Audio, Close, Gap, Open
from undertone.settings import Settings
from undertone.tokens import make_token
from undertone.topics import WORKERS


@pytest.fixture
async def served(topics: Settings) -> AsyncIterator[Served]:
    async with serve_ingest(topics) as running:
        yield running


async def begin(socket: ClientConnection, next_sample: int = 0, **more: object) -> dict[str, object]:
    await socket.send(json.dumps(START | {"next_sample": next_sample} | more))
    return await read_until(socket, "ready")


async def acknowledged(socket: ClientConnection, sample: int) -> None:
    while (await read_until(socket, "ack"))["next_sample"] != sample:
        pass


async def refusal(socket: ClientConnection) -> dict[str, object]:
    """The error, once the socket has closed with the same code."""
    error = await read_until(socket, "error")
    with pytest.raises(ConnectionClosed) as caught:
        await read_until(socket, "never")
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.reason == error["code"]
    assert 4400 <= caught.value.rcvd.code < 4600
    return error


async def test_a_recording_from_start_to_finished(served: Served, topics: Settings) -> None:
    made = await served.make(title="Standup", tags=["team"], language="en")
    async with served.connect(made) as socket, open_publisher(topics) as transcriber:
        ready = await begin(socket, started_at="2026-01-01T00:00:00Z")
        assert (ready["session_id"], ready["next_sample"]) == (made.session_id, 0)
        for at in range(0, 16_000, 1600):
            await socket.send(frame(at))
        await acknowledged(socket, 16_000)
        await socket.send('{"type":"gap","next_sample":32000}')
        await socket.send(frame(32_000, 100))
        await socket.send('{"type":"ping"}')
        await read_until(socket, "pong")
        await socket.send('{"type":"stop"}')

        await until(lambda: has_close(topics, made.session_id), 10)
        await tell(transcriber, made.session_id, state="ended", reason="stop", through=32_100, utterances=2, seq=3)
        finished = await read_until(socket, "finished")
        assert finished == {"type": "finished", "samples": 32_100, "utterances": 2}
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1000
    log = await read_log(topics, made.session_id)
    assert log[0] == Open(made.session_id, "", 0, "en", None, "Standup", ("team",))
    assert isinstance(log[1], Open)
    assert log[1].started_at_ms == 1_767_225_600_000
    assert heard(log) == (pcm(0, 16_000) + pcm(32_000, 100), [(16_000, 32_000)])
    assert isinstance(log[-1], Close)
    assert (log[-1].at, log[-1].reason) == (32_100, "stop")


async def test_stop_sent_again_is_finished_again(served: Served, topics: Settings) -> None:
    made = await served.make()
    async with open_publisher(topics) as transcriber:
        await tell(transcriber, made.session_id, state="ended", reason="stop", through=1600, utterances=1)
    again: Sequence[Sequence[str | bytes]] = ((), (json.dumps(START | {"next_sample": 0}), frame(0)))
    for words in again:

        async def stopped(words: Sequence[str | bytes] = words) -> dict[str, object] | None:
            async with served.connect(made) as socket:
                for word in [*words, '{"type":"stop"}']:
                    await socket.send(word)
                message: dict[str, object] = {}
                while message.get("type") not in {"finished", "error"}:
                    message = json.loads(await socket.recv())
                return message if message["type"] == "finished" else None

        assert await until(stopped, 10) == {"type": "finished", "samples": 1600, "utterances": 1}
    async with served.connect(made) as socket:
        await begin(socket)
        await socket.send(frame(1600))
        error = await refusal(socket)
    assert (error["code"], error["retryable"]) == ("session_ended", False)


async def test_cut_wires_lose_and_double_nothing(served: Served, topics: Settings) -> None:
    """The TCP connection is torn down in mid-stream, five times; the recorder goes on from what was acknowledged."""
    made = await served.make()
    known = 0
    for round_ in range(6):
        async with served.connect(made) as socket:
            await begin(socket, known)
            for index in range(20):
                await socket.send(frame(known + index * 1600))
            if round_ < 5:
                known = int(str((await read_until(socket, "ack"))["next_sample"]))
                socket.transport.abort()
            else:
                await acknowledged(socket, known + 32_000)
    log = await read_log(topics, made.session_id)
    assert heard(log) == (pcm(0, known + 32_000), [])


async def test_the_second_socket_takes_over(served: Served, topics: Settings) -> None:
    made = await served.make()
    async with served.connect(made) as first:
        await begin(first)
        await first.send(frame(0))
        await acknowledged(first, 1600)
        async with served.connect(made) as second:
            await begin(second, 1600)
            error = await refusal(first)
            assert (error["code"], error["retryable"]) == ("taken_over", False)
            await second.send(frame(1600))
            await acknowledged(second, 3200)
    assert heard(await read_log(topics, made.session_id)) == (pcm(0, 3200), [])


async def test_at_another_replica_too_and_the_first_acknowledges_nothing_more(served: Served, topics: Settings) -> None:
    made = await served.make()
    async with serve_ingest(topics) as replica, served.connect(made) as first:
        await begin(first)
        await first.send(frame(0))
        await acknowledged(first, 1600)
        async with replica.connect(made) as second:
            await begin(second, 1600)
            with suppress(ConnectionClosed):
                await first.send(frame(1600, 800))
            error = await refusal(first)
            assert (error["code"], error["retryable"]) == ("taken_over", False)
            await second.send(frame(1600))
            await acknowledged(second, 3200)
    log = await read_log(topics, made.session_id)
    assert heard(log) == (pcm(0, 3200), [])


async def test_a_start_whose_handshake_is_older_than_another_start_is_void(served: Served, topics: Settings) -> None:
    """A process that was frozen after the handshake goes on: its recorder speaks elsewhere by then."""
    made = await served.make()
    async with serve_ingest(topics) as replica, served.connect(made) as late, replica.connect(made) as socket:
        await begin(socket)
        await socket.send(frame(0))
        await acknowledged(socket, 1600)
        await late.send(json.dumps(START | {"next_sample": 8000}))
        error = await refusal(late)
        assert (error["code"], error["retryable"]) == ("start_late", True)
        await socket.send(frame(1600))
        await acknowledged(socket, 3200)
    assert heard_entries(await read_entries(topics, made.session_id)) == (pcm(0, 3200), [])


async def test_nothing_is_acknowledged_behind_a_stop_that_the_transcriber_has_not_read(
    served: Served, topics: Settings
) -> None:
    """Nor at a replica that started after the stop was written."""
    made = await served.make()
    stopping = asyncio.create_task(served.post(made, "stop", next_sample=1600))
    await until(lambda: has_close(topics, made.session_id), 10)
    async with serve_ingest(topics) as replica:
        for server in (served, replica):
            answer = await server.post(made, "audio", frame(1600))
            assert (answer.status_code, answer.json()["code"]) == (409, "session_ended")
            async with server.connect(made) as socket:
                await begin(socket)
                await socket.send(frame(1600))
                assert (await refusal(socket))["code"] == "session_ended"
    stopping.cancel()


async def has_close(settings: Settings, session_id: str) -> bool:
    return isinstance((await read_log(settings, session_id))[-1], Close)


async def test_a_resume_beyond_what_is_known_is_a_gap(served: Served, topics: Settings) -> None:
    made = await served.make()
    async with served.connect(made) as socket:
        await begin(socket)
        await socket.send(frame(0))
        await acknowledged(socket, 1600)
    async with served.connect(made) as socket:
        assert (await begin(socket, 8000))["next_sample"] == 8000
        await socket.send(frame(8000))
        await acknowledged(socket, 9600)
    log = await read_log(topics, made.session_id)
    assert heard(log) == (pcm(0, 1600) + pcm(8000, 1600), [(1600, 8000)])
    assert not any(isinstance(record, Gap) for record in log)


@pytest.mark.parametrize(
    ("words", "code", "close_code"),
    [
        ([frame(0)], "start_missing", 4409),
        (["hello"], "message_not_json", 4400),
        (['{"type":"sing"}'], "message_unknown", 4400),
        (['{"type":"start"}'], "message_invalid", 4422),
        ([json.dumps(START | {"sample_rate": 44_100})], "sample_rate_unsupported", 4415),
        ([json.dumps(START | {"encoding": "opus"})], "encoding_unsupported", 4415),
        ([json.dumps(START), json.dumps(START)], "already_started", 4409),
        ([json.dumps(START), frame(1)], "jump", 4409),
        ([json.dumps(START), b"1234567"], "frame_without_header", 4400),
        ([json.dumps(START), frame(0, 0)], "frame_too_small", 4400),
        ([json.dumps(START), *(frame(at, 1) for at in range(11))], "frame_too_small", 4400),
        ([json.dumps(START), frame(0) + b"x"], "frame_odd", 4400),
        ([json.dumps(START), frame(0, 16_001)], "frame_too_big", 4413),
        ([json.dumps(START), "UklGRg"], "message_not_json", 4400),
        ([json.dumps(START), " " * 5000], "message_too_large", 4413),
        ([json.dumps(START), '{"type":"gap","next_sample":16000000}'], "gap_too_long", 4400),
        ([json.dumps(START), '{"type":"stop"}', frame(0)], "stopped", 4409),
    ],
)
async def test_bad_input_is_told_what_is_wrong(
    served: Served, words: list[str | bytes], code: str, close_code: int
) -> None:
    made = await served.make()
    async with served.connect(made) as socket:
        for word in words:
            await socket.send(word)
        error = await refusal(socket)
        assert socket.close_code == close_code
    assert error["code"] == code
    assert error["retryable"] is False
    assert len(str(error["message"])) > 20


async def test_tokens_open_one_session_to_write(served: Served, topics: Settings) -> None:
    made, other = await served.make(), await served.make()
    past = datetime.now(UTC) - timedelta(hours=25)
    expired = make_token(topics.signing_key(), made.session_id, "write", past, 24)
    unknown = Made("no-such-session", made.write_token, made.read_token)
    for session, token, code in [
        (made, other.write_token, "token_foreign"),
        (made, made.read_token, "token_foreign"),
        (made, "nonsense", "token_invalid"),
        (made, expired, "token_expired"),
        (unknown, made.write_token, "session_unknown"),
    ]:
        async with served.connect(session, token) as socket:
            assert (await refusal(socket))["code"] == code


async def test_a_session_stopped_elsewhere_ends_the_socket(served: Served, topics: Settings) -> None:
    made = await served.make()
    async with served.connect(made) as socket, open_publisher(topics) as transcriber:
        await begin(socket)
        await tell(transcriber, made.session_id, state="ended", reason="stop")
        error = await refusal(socket)
    assert (error["code"], error["retryable"]) == ("session_ended", False)


async def test_status_says_how_far_behind_the_transcriber_is(served: Served, topics: Settings) -> None:
    made = await served.make()
    async with served.connect(made) as socket, open_publisher(topics) as transcriber:
        await begin(socket)
        for at in range(0, 48_000, 16_000):
            await socket.send(frame(at, 16_000))
        await acknowledged(socket, 48_000)
        assert (await read_until(socket, "status"))["behind_ms"] == 3000
        report = Worker(
            worker="t1", app="transcriber", at=datetime.now(UTC), backlog_s=0.5, heard={made.session_id: 32_000}
        )
        await transcriber.publish(WORKERS, "t1", report)
        while (await read_until(socket, "status"))["behind_ms"] != 1500:
            pass


async def test_audio_faster_than_real_time_waits_for_the_transcriber(served: Served, topics: Settings) -> None:
    made = await served.make()
    async with served.connect(made) as socket, open_publisher(topics) as transcriber:
        await begin(socket)
        sending = asyncio.create_task(_send_seconds(socket, 90))
        ack = 0
        while ack < 59 * 16_000:
            ack = int(str((await read_until(socket, "ack"))["next_sample"]))
        for _ in range(2):
            await read_until(socket, "status")
        log = await read_log(topics, made.session_id)
        assert max(record.end for record in log if isinstance(record, Audio)) <= 60 * 16_000
        await tell(transcriber, made.session_id, state="live", through=40 * 16_000, seq=1)
        await acknowledged(socket, 90 * 16_000)
        await sending


async def _send_seconds(socket: ClientConnection, seconds: int) -> None:
    for second in range(seconds):
        await socket.send(frame(second * 16_000, 16_000))
