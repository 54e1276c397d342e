"""Sessions, chunks and files over HTTP, on a real server and a real Kafka."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.ingest_serving import START, Made, Served, frame, heard, pcm, read_log, read_until, serve_ingest, tell
from tests.recordings import make_recording
from tests.waiting import until
from undertone.errors import FatalError
from undertone.events import Resume
from undertone.identifiers import make_session_id
from undertone.kafka import open_publisher
from undertone.local.ports import free_ports
from undertone.records import Audio, Close, Gap, Open
from undertone.settings import Settings
from undertone.tokens import make_token


@pytest.fixture
async def served(topics: Settings) -> AsyncIterator[Served]:
    async with serve_ingest(topics) as running:
        yield running


def code(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"type", "code", "message", "retryable", "retry_after_ms"}
    return answer.status_code, body["code"]


async def test_a_new_session_is_in_the_log_at_once(served: Served, topics: Settings) -> None:
    answer = await served.http.post("/v1/sessions", json={"title": "회의", "tags": ["팀"], "language": "ko"})
    assert answer.status_code == 201
    given = answer.json()
    assert given["limits"]["sample_rate"] == 16_000
    assert given["limits"]["max_file_megabytes"] == topics.file_megabytes
    log = await read_log(topics, given["session_id"])
    assert log == [Open(given["session_id"], "", 0, "ko", None, "회의", ("팀",))]


async def test_a_new_session_needs_no_body(served: Served) -> None:
    assert (await served.http.post("/v1/sessions")).status_code == 201


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (422, "request_invalid")),
        (b"[]", (422, "request_invalid")),
        (b'{"tags":["' + b"x" * 201 + b'"]}', (422, "request_invalid")),
        (b'{"title":"' + b"x" * 300 + b'"}', (422, "request_invalid")),
        (b'{"language":"English"}', (422, "request_invalid")),
        (b'{"language":"xx"}', (422, "language_unknown")),
        (b" " * 20_000, (413, "body_too_large")),
    ],
)
async def test_a_wrong_wish_is_refused(served: Served, body: bytes, expected: tuple[int, str]) -> None:
    assert code(await served.http.post("/v1/sessions", content=body)) == expected


async def test_chunks_go_to_the_log_once(served: Served, topics: Settings) -> None:
    made = await served.make()
    for at, samples in [(0, 32_000), (16_000, 32_000), (48_000, 500)]:
        answer = await served.post(made, "audio", frame(at, samples))
        assert answer.status_code == 200
        assert answer.json() == {"next_sample": at + samples}
    log = await read_log(topics, made.session_id)
    assert heard(log) == (pcm(0, 48_500), [])
    assert max(len(record.pcm) for record in log if isinstance(record, Audio)) == 32_000


async def test_chunks_at_once_do_not_shut_each_other_out(served: Served, topics: Settings) -> None:
    made = await served.make()
    answers = await asyncio.gather(*(served.post(made, "audio", frame(0, 8000 * n)) for n in range(1, 6)))
    assert {answer.status_code for answer in answers} == {200}
    assert heard(await read_log(topics, made.session_id)) == (pcm(0, 40_000), [])


async def test_stop_ends_the_session_and_says_so_again(served: Served, topics: Settings) -> None:
    made = await served.make()
    await served.post(made, "audio", frame(0, 1600))
    stopping = asyncio.create_task(served.post(made, "stop", next_sample=1600))

    async def closed() -> bool:
        return isinstance((await read_log(topics, made.session_id))[-1], Close)

    await until(closed, 10)
    async with open_publisher(topics) as transcriber:
        await tell(transcriber, made.session_id, state="ended", reason="stop", through=1600, utterances=1)
    finished = {"type": "finished", "samples": 1600, "utterances": 1}
    assert (await stopping).json() == finished
    assert (await served.post(made, "stop", next_sample=1600)).json() == finished
    assert code(await served.post(made, "audio", frame(1600))) == (409, "session_ended")
    assert code(await served.post(made, "file", make_recording("wav", 1))) == (409, "session_ended")


async def test_bad_chunks_are_told_what_is_wrong(served: Served) -> None:
    made = await served.make()
    for data, expected in [
        (b"", (400, "frame_without_header")),
        (frame(0, 0), (400, "frame_too_small")),
        (frame(0) + b"x", (400, "frame_odd")),
        (frame(0, 160_001), (413, "body_too_large")),
        (struct.pack("<Q", 2**63) + pcm(0, 1600), (409, "session_full")),
        (frame(70 * 16_000), (400, "gap_too_long")),
    ]:
        assert code(await served.post(made, "audio", data)) == expected
    assert code(await served.post(made, "stop")) == (422, "request_invalid")
    assert code(await served.post(made, "stop", next_sample=-1)) == (409, "session_full")


async def test_nothing_moves_a_session_into_the_future(served: Served, topics: Settings) -> None:
    """A stop, a chunk and a start beyond the expected sample are gaps: each at most to now."""
    made = await served.make()
    day = 86_400 * 16_000
    for sample in (day, 30 * 16_000):
        assert code(await served.post(made, "stop", next_sample=sample)) == (400, "gap_too_long")
        assert code(await served.post(made, "audio", frame(sample - 1600))) == (400, "gap_too_long")
        async with served.connect(made) as socket:
            await socket.send(json.dumps(START | {"next_sample": sample}))
            assert (await read_until(socket, "error"))["code"] == "gap_too_long"
    assert await read_log(topics, made.session_id) == [Open(made.session_id, "", 0)]


def make_old(settings: Settings, hours: int) -> Made:
    """A session that was made so many hours ago."""
    made_at = datetime.now(UTC) - timedelta(hours=hours)
    session_id = make_session_id(round(made_at.timestamp() * 1000), 1)
    key = settings.signing_key()
    write, read = (make_token(key, session_id, scope, datetime.now(UTC), 24) for scope in ("write", "read"))
    return Made(session_id, write, read)


async def test_a_recorder_that_comes_back_after_an_hour_is_taken_at_once(served: Served, topics: Settings) -> None:
    made, hour = make_old(topics, 2), 3600 * 16_000
    assert (await served.post(made, "audio", frame(0))).status_code == 200
    assert (await served.post(made, "audio", frame(hour))).status_code == 200
    async with served.connect(made) as socket:
        await socket.send(json.dumps(START | {"next_sample": hour + 1600}))
        await read_until(socket, "ready")
        await socket.send(json.dumps({"type": "gap", "next_sample": 2 * hour}))
        assert (await read_until(socket, "ack"))["next_sample"] == 2 * hour
    assert heard(await read_log(topics, made.session_id))[1] == [(1600, hour), (hour + 1600, 2 * hour)]


async def test_gaps_without_end_become_a_few(served: Served, topics: Settings) -> None:
    """A thousand of 20 ms, at once: what comes while another waits for its turn is joined with it."""
    made = make_old(topics, 20)
    async with served.connect(made) as socket:
        await socket.send(json.dumps(START | {"next_sample": 0}))
        await read_until(socket, "ready")
        for number in range(1, 1001):
            await socket.send(json.dumps({"type": "gap", "next_sample": 320 * number}))
        await socket.send(frame(320_000))
        while (await read_until(socket, "ack"))["next_sample"] != 321_600:
            pass
    log = await read_log(topics, made.session_id)
    (begin, _), *_, (_, end) = heard(log)[1]
    assert (begin, end) == (0, 320_000)
    assert sum(isinstance(record, Gap) for record in log) < 100


async def test_repeats_are_answered_and_not_written_again(served: Served, topics: Settings) -> None:
    made = await served.make()
    assert (await served.post(made, "audio", frame(0, 32_000))).status_code == 200
    log = await read_log(topics, made.session_id)
    for at, samples in [(0, 32_000), (0, 1600), (31_999, 1)]:
        assert (await served.post(made, "audio", frame(at, samples))).json() == {"next_sample": at + samples}
    assert await read_log(topics, made.session_id) == log
    assert (await served.post(made, "audio", frame(0, 33_600))).status_code == 200
    assert [record.at for record in await read_log(topics, made.session_id)][len(log) :] == [32_000, 32_000]


async def test_who_repeats_without_end_is_told_to_wait(served: Served, topics: Settings) -> None:
    """Repeats, and chunks with a new sample each, which cost as much as whole ones."""
    for step in (0, 1):
        made = await served.make()
        assert (await served.post(made, "audio", frame(0))).status_code == 200
        posts = (served.post(made, "audio", frame(step * number, 1600)) for number in range(100))
        answers = await asyncio.gather(*posts)
        refused = [answer for answer in answers if answer.status_code != 200]
        assert {code(answer) for answer in refused} == {(429, "too_many_records")}
        assert all(answer.json()["retryable"] and answer.json()["retry_after_ms"] <= 500 for answer in refused)
        assert len(await read_log(topics, made.session_id)) <= 3 + 2 * (100 - len(refused))


async def test_tokens_and_addresses(served: Served) -> None:
    made, other = await served.make(), await served.make()
    for what in ("audio", "stop", "file"):
        data = frame(0)
        params: dict[str, Any] = {"next_sample": 0} if what == "stop" else {}
        path = f"/v1/sessions/{made.session_id}/{what}"
        assert code(await served.http.post(path, content=data, params=params)) == (401, "token_missing")
        for token, expected in [
            ("nonsense", (401, "token_invalid")),
            (other.write_token, (403, "token_foreign")),
            (made.read_token, (403, "token_foreign")),
        ]:
            assert code(await served.post(made, what, data, token, **params)) == expected
        nobody = Made("00000000-0000-0000-0000-000000000000", made.write_token, "")
        assert code(await served.post(nobody, what, data, **params)) == (404, "session_unknown")
    assert code(await served.http.post("/v1/nothing")) == (404, "address_unknown")
    assert code(await served.http.put("/v1/sessions")) == (405, "method_unknown")


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3", "webm"])
async def test_a_whole_file_becomes_a_session(served: Served, topics: Settings, kind: str) -> None:
    made = await served.make()
    answer = await served.post(made, "file", make_recording(kind, 2.5))
    assert answer.status_code == 200, answer.text
    samples = answer.json()["samples"]
    assert abs(samples - 40_000) < 1600
    log = await read_log(topics, made.session_id)
    sound, gaps = heard(log)
    assert (len(sound), gaps) == (samples * 2, [])
    assert isinstance(log[-1], Close)
    assert (log[-1].at, log[-1].reason) == (samples, "stop")


async def test_the_same_file_again_changes_nothing(served: Served, topics: Settings) -> None:
    made, file = await served.make(), make_recording("mp3", 2)
    assert (await served.post(made, "file", file)).status_code == 200
    log = await read_log(topics, made.session_id)
    assert code(await served.post(made, "file", file)) == (409, "session_ended")
    assert await read_log(topics, made.session_id) == log


async def test_a_long_file_waits_for_the_transcriber(served: Served, topics: Settings) -> None:
    made = await served.make()
    sending = asyncio.create_task(served.post(made, "file", make_recording("ogg", 100, "mono")))

    async def end() -> int:
        log = await read_log(topics, made.session_id)
        return max((record.end for record in log if isinstance(record, Audio)), default=0)

    async def is_far() -> bool:
        return await end() >= 59 * 16_000

    await until(is_far, 20)
    assert await end() <= 60 * 16_000
    async with open_publisher(topics) as transcriber:
        await tell(transcriber, made.session_id, state="live", through=50 * 16_000, seq=1)
    answer = await sending
    assert answer.status_code == 200
    assert await end() == answer.json()["samples"]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("stopped", (409, "session_ended")),
        ("deleted", (410, "session_ended")),
        ("taken over", (409, "taken_over")),
    ],
)
async def test_a_file_that_waits_ends_with_its_session(
    served: Served, topics: Settings, how: str, expected: tuple[int, str]
) -> None:
    made = await served.make()
    sending = asyncio.create_task(served.post(made, "file", make_recording("wav", 70, "mono")))

    async def waits() -> bool:
        log = await read_log(topics, made.session_id)
        return any(isinstance(record, Audio) and record.end >= 59 * 16_000 for record in log)

    await until(waits, 20)
    assert not sending.done()
    if how == "taken over":
        async with served.connect(made) as socket:
            await socket.send(json.dumps(START))
            await read_until(socket, "ready")
    else:
        changes = {"state": "ended", "reason": "stop"} if how == "stopped" else {"state": "deleted", "reason": "delete"}
        async with open_publisher(topics) as transcriber:
            await tell(transcriber, made.session_id, seq=1, **changes)
    assert code(await asyncio.wait_for(sending, 10)) == expected


async def send_without_end(served: Served, path: str) -> bytes:
    """What the server answers to a body that never ends, once it has hung up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.http.base_url.port)

    async def send() -> None:
        while True:
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await writer.drain()

    writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    sending = asyncio.create_task(send())
    answer = b""
    try:
        async with asyncio.timeout(20):
            while piece := await reader.read(65_536):
                answer += piece
    except ConnectionError:
        pass
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()
    return answer


async def test_bad_files_are_told_what_is_wrong(topics: Settings) -> None:
    good = make_recording("wav", 5, "mono")
    async with serve_ingest(topics.model_copy(update={"file_megabytes": 1})) as served:
        made = await served.make()
        for data, expected in [
            (b"", (422, "file_empty")),
            (b"I am a letter." * 50, (415, "not_audio")),
            (good[:40], (415, "not_audio")),
            (bytes(1_000_001), (413, "file_too_large")),
        ]:
            assert code(await served.post(made, "file", data)) == expected

        path, params = f"/v1/sessions/{made.session_id}/file", {"token": made.write_token}
        answer = await send_without_end(served, f"{path}?token={made.write_token}")
        assert answer.startswith(b"HTTP/1.1 413")
        assert b"file_too_large" in answer
        form = await served.http.post(path, files={"file": good}, params=params)
        assert code(form) == (415, "multipart_unsupported")
        assert await read_log(topics, made.session_id) == [Open(made.session_id, "", 0)]


async def test_a_truncated_file_is_taken_and_reported(served: Served, topics: Settings) -> None:
    made, data = await served.make(), make_recording("wav", 5, "mono")
    answer = await served.post(made, "file", data[: len(data) // 2])
    assert answer.status_code == 200
    given = answer.json()
    assert abs(given["samples"] - 40_000) < 1600
    assert [note["code"] for note in given["notes"]] == ["file_truncated"]
    assert given["peak_dbfs"] == pytest.approx(-6, abs=0.5)
    sound, gaps = heard(await read_log(topics, made.session_id))
    assert (len(sound), gaps) == (given["samples"] * 2, [])


async def test_a_file_does_not_mix_with_a_recorder(served: Served, topics: Settings) -> None:
    made = await served.make()
    async with open_publisher(topics) as transcriber:
        resume = Resume(offset=1, connection="0a1b")
        await tell(transcriber, made.session_id, state="live", through=1600, resume=resume)

    async def mixed() -> bool:
        # No recording: before ingest has read what the transcriber says, one would be taken and end the session.
        answer = await served.post(made, "file", b"no sound")
        assert answer.status_code >= 400
        return code(answer) == (409, "session_has_audio")

    await until(mixed, 20)


async def test_without_kafka_the_answer_comes_in_time_and_says_when_to_try_again(settings: Settings) -> None:
    away = settings.model_copy(update={"kafka": f"127.0.0.1:{free_ports(1)[0]}"})
    async with serve_ingest(away, ready=False) as served:
        ready = await served.http.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["reason"] == "Kafka cannot be reached"
        async with asyncio.timeout(15):
            answer = await served.http.post("/v1/sessions")
        assert code(answer) == (503, "kafka_away")
        assert answer.json()["retryable"] is True
        assert answer.headers["Retry-After"] == "2"
        assert (await served.http.get("/healthz")).status_code == 200


async def test_topics_that_come_late_make_it_ready(settings: Settings) -> None:
    from undertone.bootstrap import apply_topics

    async with serve_ingest(settings, ready=False) as served:
        assert (await served.http.get("/readyz")).status_code == 503
        await apply_topics(settings)

        async def ready() -> bool:
            return (await served.http.get("/readyz")).status_code == 200

        await until(ready, 20)
        await served.make()


def test_settings_it_cannot_do_without() -> None:
    from ingest_api.app import make_app

    with pytest.raises(FatalError, match="UNDERTONE_KAFKA"):
        make_app(Settings(kafka=None, secret=SecretStr("x" * 32)))
    with pytest.raises(FatalError, match="UNDERTONE_SECRET"):
        make_app(Settings(kafka="127.0.0.1:9", secret=SecretStr("short")))
