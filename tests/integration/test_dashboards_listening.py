"""What was said is heard again, on a real Kafka and PostgreSQL: exactly, for as long as it is kept, by who may."""

import asyncio
import io
import random
import socket
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as examples
from hypothesis import strategies as st

from dashboards import tape
from dashboards.app import make_app
from dashboards.tape import Tape
from stream_apps.listener import Entry, Speech
from tests.forgetting import deletion, write
from tests.heard import final_of, forget_audio, heard
from tests.storage_events import session, session_id, utterance
from tests.unit.test_listener import FIRST_OFFSET, Log, logs, sound, split
from tests.viewing import Writer, served
from undertone.errors import Refusal
from undertone.events import AudioSpan, Utterance
from undertone.kafka import Publisher, open_publisher
from undertone.records import Audio, AudioRecord, Open
from undertone.settings import Settings
from undertone.tokens import make_token
from undertone.topics import place

NUMBERS = (1, 3, 5)
"""Sessions of one partition."""


@pytest.fixture
async def publisher(whole: Settings) -> AsyncIterator[Publisher]:
    async with open_publisher(whole) as publisher:
        yield publisher


@asynccontextmanager
async def asking(whole: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with served(make_app(whole)) as address, httpx.AsyncClient(base_url=address) as client:
        yield client


def path(said: Utterance) -> str:
    return f"/v1/sessions/{said.session_id}/utterances/{said.utterance_id}/audio"


def pcm_of(answer: httpx.Response) -> bytes:
    assert answer.status_code == 200, answer.text
    with wave.open(io.BytesIO(answer.content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        return bytes(file.readframes(file.getnframes()))


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def entries_of(number: int, log: Log) -> list[Entry]:
    """The log as that of the ``number``-th session, alone in its partition."""
    offsets = range(FIRST_OFFSET, FIRST_OFFSET + len(log))
    return [
        Entry(at, 0, replace(record, session_id=session_id(number))) for at, record in zip(offsets, log, strict=True)
    ]


def where(record: AudioRecord, entries: Sequence[Entry]) -> AudioRecord:
    """The record as it is written behind ``entries``: ``seen`` is their real offset, no longer that of ``logs``."""
    if not isinstance(record, Open) or record.seen is None:
        return record
    read = record.seen - FIRST_OFFSET
    return replace(record, seen=entries[read].offset if read < len(entries) else entries[-1].offset + 1)


def draw_logs() -> list[Log]:
    """Recordings with trouble on the wire, one for each session: of some, those in which each has the most to say."""
    drawn: list[list[Log]] = []

    @seed(7)
    @examples(max_examples=40, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.tuples(logs(), logs(), logs()))
    def draw(some: tuple[tuple[Log, Log], ...]) -> None:
        drawn.append([log for log, _ in some])

    def least_said(some: list[Log]) -> int:
        return min(
            len(heard(session_id(number), entries_of(number, log))) for number, log in zip(NUMBERS, some, strict=True)
        )

    draw()
    return max(drawn, key=least_said)


async def say(publisher: Publisher, settings: Settings, given_logs: Sequence[Log]) -> list[tuple[Utterance, Speech]]:
    """Write the logs of the sessions in among one another, and what the workers make of them; all of it is stored."""
    left = [
        (number, [replace(record, session_id=session_id(number)) for record in reversed(log)])
        for number, log in zip(NUMBERS, given_logs, strict=False)
    ]
    entries: dict[int, list[Entry]] = {number: [] for number, _ in left}
    chance = random.Random(7)
    while left := [(number, log) for number, log in left if log]:
        number, log = chance.choice(left)
        record = where(log.pop(), entries[number])
        entries[number].append(Entry(await publisher.publish_audio(record), 0, record))
    partition = place(session_id(), settings.partitions)
    said = [
        (final_of(speech, number, seq, partition), speech)
        for number, log in entries.items()
        for seq, speech in enumerate(heard(session_id(number), log), 1)
    ]
    writer = Writer(publisher, settings)
    await writer.write(*(session(number) for number in entries), *(final for final, _ in said))
    await writer.archive()
    return said


def plain_log(utterances: int = 2) -> Log:
    """Utterances with silence behind each, in frames of 100 ms."""
    pcm = b"".join(sound(("loud", 6000), ("quiet", 9000)) for _ in range(utterances))
    return [Open(session_id(), "a", 0), *split(pcm, [1600])]


async def test_each_utterance_is_heard_as_it_was_sent_whatever_lies_between(
    whole: Settings, publisher: Publisher
) -> None:
    said = await say(publisher, whole, draw_logs())
    assert len({final.session_id for final, _ in said}) == 3
    assert len(said) >= 6
    async with asking(whole) as client:
        for final, speech in said:
            assert pcm_of(await client.get(path(final))) == speech.samples.tobytes()


async def test_players_get_the_part_that_they_ask_for(whole: Settings, publisher: Publisher) -> None:
    ((final, _), *_) = await say(publisher, whole, [plain_log()])
    async with asking(whole) as client:
        file = await client.get(path(final))
        assert file.headers["content-type"] == "audio/wav"
        assert file.headers["accept-ranges"] == "bytes"
        assert file.headers["cache-control"] == "private, no-store"
        for asked, part in (("bytes=0-1", slice(0, 2)), ("bytes=44-", slice(44, None))):
            answer = await client.get(path(final), headers={"range": asked})
            assert answer.status_code == 206
            assert answer.content == file.content[part]
            last = part.start + len(answer.content) - 1
            assert answer.headers["content-range"] == f"bytes {part.start}-{last}/{len(file.content)}"


async def test_what_the_log_no_longer_keeps_is_gone_and_the_words_stay(whole: Settings, publisher: Publisher) -> None:
    (first, _), (second, speech) = await say(publisher, whole, [plain_log()])
    async with asking(whole) as client:
        await forget_audio(whole, session_id(), second.audio.first_offset)
        gone = await client.get(path(first))
        assert refusal(gone) == (410, "audio_gone")
        assert "24 h" in gone.json()["message"]
        assert pcm_of(await client.get(path(second))) == speech.samples.tobytes()
        await forget_audio(whole, session_id(), second.audio.first_offset + 1)  # not all of it is there
        assert refusal(await client.get(path(second))) == (410, "audio_gone")
        await forget_audio(whole, session_id(), -1)  # up to the end
        assert refusal(await client.get(path(second))) == (410, "audio_gone")
        words = (await client.get(f"/v1/sessions/{session_id()}/utterances")).json()["utterances"]
        assert [item["text"] for item in words] == ["words 1", "words 2"]


async def test_it_is_told_from_where_on_a_session_can_be_heard(
    whole: Settings, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tape, "BEGINS_S", 0.0)
    (first, _), (second, _) = await say(publisher, whole, [plain_log()])
    async with asking(whole) as client:

        async def kept_from() -> int:
            answer = await client.get(f"/v1/sessions/{session_id()}/kept-audio")
            assert answer.json() == {"session_id": session_id(), "from_ms": answer.json()["from_ms"]}
            return int(answer.json()["from_ms"])

        assert await kept_from() == 0
        await forget_audio(whole, session_id(), first.audio.first_offset)
        assert await kept_from() == 0, "what lies before the first words is no matter"
        await forget_audio(whole, session_id(), second.audio.first_offset)
        assert first.start_ms < await kept_from() <= second.start_ms
        monkeypatch.setattr(tape, "BEGINS_S", 60.0)
        await forget_audio(whole, session_id(), -1)
        assert await kept_from() <= second.start_ms, "it is remembered for a while, for a thousand viewers"
        monkeypatch.setattr(tape, "BEGINS_S", 0.0)
        assert await kept_from() == second.end_ms
        unknown = await client.get(f"/v1/sessions/{session_id(9)}/kept-audio")
        assert refusal(unknown) == (404, "session_unknown")


async def test_of_another_log_nothing_is_played(whole: Settings, publisher: Publisher) -> None:
    """Kafka's disk was lost, PostgreSQL's was not: the offsets are others' now, or not there yet."""
    (final, _), *_ = await say(publisher, whole, [plain_log()])
    foreign = AudioSpan(partition=0, first_offset=1, last_offset=3)  # of another utterance
    late = AudioSpan(partition=0, first_offset=10**6, last_offset=10**6 + 3)
    begins = await publisher.publish_audio(Audio(session_id(3), "a", 0, bytes(3200)))
    others = AudioSpan(partition=0, first_offset=begins, last_offset=begins)
    reader = Tape(whole)
    for span in (foreign, late, others):
        lost = final.model_copy(update={"audio": span, "first_sample": 50_000, "end_sample": 60_000})
        with pytest.raises(Refusal) as refused:
            await reader.read(lost, place(session_id(), whole.partitions))
        assert (refused.value.status, refused.value.code) == (410, "audio_gone")


async def test_words_a_moment_old_are_heard_before_they_are_stored(whole: Settings, publisher: Publisher) -> None:
    offset = await publisher.publish_audio(Audio(session_id(), "a", 0, sound(("loud", 32_000))))
    span = AudioSpan(partition=place(session_id(), whole.partitions), first_offset=offset, last_offset=offset)
    final = utterance(audio=span)
    async with asking(whole) as client:
        assert refusal(await client.get(path(final))) == (404, "session_unknown")
        await Writer(publisher, whole).write(final)
        async with asyncio.timeout(20):
            while (answer := await client.get(path(final))).status_code == 404:
                pass
        assert pcm_of(answer) == sound(("loud", 32_000))


async def test_only_what_there_is_is_heard_by_who_may_and_nothing_that_was_deleted(
    whole: Settings, publisher: Publisher
) -> None:
    (final, _), *_ = await say(publisher, whole, [plain_log(), plain_log()])
    closed = whole.model_copy(update={"access": "closed"})
    async with asking(closed) as client:
        mine, theirs = (
            {"token": make_token(whole.signing_key(), session_id(number), "read", datetime.now(UTC), 1)}
            for number in (1, 3)
        )
        assert refusal(await client.get(path(final))) == (401, "login_needed")
        assert refusal(await client.get(path(final), params=theirs)) == (403, "token_foreign")
        under_theirs = path(final).replace(session_id(), session_id(3), 1)
        assert refusal(await client.get(under_theirs, params=theirs)) == (404, "utterance_unknown")
        unknown = path(final).replace("/audio", "0/audio")
        assert refusal(await client.get(unknown, params=mine)) == (404, "utterance_unknown")
        assert (await client.get(path(final), params=mine)).status_code == 200
        await write(whole, deletion())
        async with asyncio.timeout(20):
            while (answer := await client.get(path(final), params=mine)).status_code == 200:
                pass
        assert refusal(answer) == (410, "session_deleted")


async def test_without_kafka_the_answer_comes_in_time(whole: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape, "READ_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and says nothing
        port = silent.getsockname()[1]
        for where in ("127.0.0.1:1", f"127.0.0.1:{port}"):
            reader = Tape(whole.model_copy(update={"kafka": where}), at_once=1, wait_s=0.1)
            async with asyncio.timeout(5):
                outcomes = await asyncio.gather(
                    *(reader.read(utterance(), 0) for _ in range(3)), return_exceptions=True
                )
                codes = sorted(outcome.code for outcome in outcomes if isinstance(outcome, Refusal))
                with pytest.raises(Refusal) as refused:
                    await reader.begins(0)
            assert len(codes) == 3
            assert refused.value.code == "kafka_away"
            assert set(codes) <= {"kafka_away", "audio_busy"}
            assert all(outcome.retryable for outcome in outcomes if isinstance(outcome, Refusal))
        assert codes == ["audio_busy", "audio_busy", "kafka_away"], "one at a time"


async def test_what_is_too_long_to_hold_is_not_played(whole: Settings) -> None:
    with pytest.raises(Refusal) as refused:
        await Tape(whole).read(utterance(end_sample=16_000 * 61), 0)
    assert refused.value.code == "audio_too_long"
