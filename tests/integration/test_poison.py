"""Poison on real Kafka, through the real apps: it is put aside as it was, and its partition goes on."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from pydantic import SecretStr

from models.sentiment import make_router
from models.sentiment.abstention import Unjudged
from models.speech.engines import Hearing, Samples, SpeechEngine
from models.speech.load import load_engine
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.queries import utterance_page
from stream_apps import transcriber
from stream_apps.classifier import Classifier
from stream_apps.dead_letters import DeadLetters
from stream_apps.presence import Outputs
from stream_apps.statistician import Statistician
from tests.clips import log_of, read_clip, silence
from tests.examples import SESSION_ID, mark, transcript, utterance
from tests.integration.test_archivist_history import archiving
from tests.poison import Bad, bad_audio, bad_events, producing
from tests.streams import read_events, read_records, running_app
from tests.transcribing import ended, finals, publish, transcribing
from tests.waiting import until
from undertone.codec import encode
from undertone.errors import FatalError
from undertone.events import Event, Sentiment, Session, Statistics, Transcript, Utterance, Window
from undertone.kafka import client_options, open_publisher, topic_name
from undertone.letters import Letter, unseal
from undertone.settings import Settings
from undertone.topics import (
    AUDIO,
    DEAD_LETTERS,
    SESSIONS,
    STATISTICS,
    TRANSCRIPTS,
    UTTERANCES,
    WINDOWS,
    Topic,
    place,
)


def make_classifier(settings: Settings, outputs: Outputs, dead_letters: DeadLetters) -> Classifier:
    return Classifier(make_router("vader", settings.cache).judge, outputs)


async def write(settings: Settings, topic: Topic, *events: Event) -> None:
    async with open_publisher(settings) as publisher:
        for event in events:
            await publisher.publish(topic, event.session_id, event)  # type: ignore[union-attr]


async def letters(settings: Settings) -> list[Letter]:
    found = [unseal(each.key, each.value, each.headers) for each in await read_records(settings, DEAD_LETTERS)]
    return [letter for letter in found if letter is not None]


async def committed(settings: Settings, app: str, topic: Topic) -> int | None:
    group = f"{settings.topic_prefix}.{app}"
    consumer = AIOKafkaConsumer(**client_options(settings), group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        partition = TopicPartition(topic_name(settings, topic), place(SESSION_ID, settings.partitions))
        found: int | None = await consumer.committed(partition)
        return found
    finally:
        await consumer.stop()


def check_kept(found: Sequence[Letter], written: dict[str, Bad]) -> None:
    """Each bad record has one letter, with its bytes and headers, but for those that no record has room for."""
    assert len({letter.id for letter in found}) == len(found) == len(written)
    assert {letter.key for letter in found} == {SESSION_ID.encode()}
    whole = {(letter.value, tuple(letter.headers)) for letter in found if not letter.is_cut}
    assert whole == {(bad.value, tuple(bad.headers)) for name, bad in written.items() if "huge" not in name}


async def test_what_is_no_final_is_put_aside_and_the_others_come_out(topics: Settings) -> None:
    bad = {"null": Bad(None, [])} | bad_events(transcript(1, 0, 900))
    bad["an utterance"] = Bad(*encode(utterance(1, 0, 900)))
    async with producing(topics) as producer, running_app(make_classifier, topics):
        for number, each in enumerate(bad.values()):
            await producer.write(TRANSCRIPTS, SESSION_ID, each)
            await write(topics, TRANSCRIPTS, transcript(number + 1, number * 1000, number * 1000 + 900))
        await until(lambda: _holds(topics, UTTERANCES, len(bad)), 30)
        await until(lambda: _has_letters(topics, len(bad)), 10)
    found = await letters(topics)
    check_kept(found, bad)
    assert {letter.why.topic for letter in found} == {"transcripts"}
    assert [event.seq for event in await read_events(topics, UTTERANCES) if isinstance(event, Utterance)] == list(
        range(1, len(bad) + 1)
    )


async def test_what_is_no_utterance_is_put_aside_and_the_others_count(topics: Settings) -> None:
    bad = bad_events(utterance(1, 0, 900))
    async with producing(topics) as producer, running_app(Statistician, topics):
        for number, each in enumerate(bad.values()):
            await producer.write(UTTERANCES, SESSION_ID, each)
            await write(topics, UTTERANCES, utterance(number + 1, number * 1000, number * 1000 + 900))
        await producer.write(UTTERANCES, SESSION_ID, Bad(None, []))  # a tombstone: nothing
        await write(topics, UTTERANCES, mark(len(bad) + 1, 60_000, "stop"))

        async def applied() -> bool:
            memory = await read_events(topics, STATISTICS)
            return any(isinstance(event, Statistics) and event.seq == len(bad) + 1 for event in memory)

        await until(applied, 30)
        await until(lambda: _has_letters(topics, len(bad)), 10)
    check_kept(await letters(topics), bad)
    windows = [event for event in await read_events(topics, WINDOWS) if isinstance(event, Window)]
    assert [window.utterances for window in windows if window.size_ms == 0][-1] == len(bad)


async def test_what_is_no_history_is_put_aside_and_the_others_are_stored(topics: Settings, database: str) -> None:
    upgrade(database)
    whole = topics.model_copy(update={"database": SecretStr(database)})
    session = Session(session_id=SESSION_ID, state="live", seq=1, created_at="2026-11-22T20:00:00Z")
    bad = bad_events(session)
    async with producing(whole) as producer, archiving(whole):
        for number, each in enumerate(bad.values()):
            await producer.write(SESSIONS, SESSION_ID, each)
            await write(whole, SESSIONS, session.model_copy(update={"seq": number + 2, "title": "a\0b"}))
            await write(whole, UTTERANCES, utterance(number + 1, number * 1000, number * 1000 + 900, text="NUL \0"))

        async def stored() -> bool:
            engine = make_engine(database)
            async with engine.connect() as connection:
                page = await utterance_page(connection, SESSION_ID, limit=100)
            await engine.dispose()
            return len(page.items) == len(bad)

        await until(stored, 30)
        await until(lambda: _has_letters(whole, len(bad)), 10)
    check_kept(await letters(whole), bad)


async def test_what_is_no_audio_is_put_aside_and_its_session_is_heard(topics: Settings) -> None:
    bad = bad_audio(SESSION_ID)
    log = log_of(SESSION_ID, read_clip("1688-142285-0002.flac") + silence(1500))
    async with transcribing(topics) as adapter, producing(topics) as producer:
        for number, record in enumerate(log):
            await publish(topics, [record])
            if number < len(bad):
                await producer.write(AUDIO, SESSION_ID, list(bad.values())[number])
        session = (await ended(topics, SESSION_ID))[SESSION_ID]
        await until(lambda: _has_letters(topics, len(bad)), 10)
        assert not adapter.failed.done()
    check_kept(await letters(topics), bad)
    assert session.through == log[-1].at
    assert "thought me so silly" in finals(await read_events(topics, TRANSCRIPTS), SESSION_ID)[0].text


async def test_too_many_in_a_row_stop_the_worker_again_and_again_and_nothing_is_lost(topics: Settings) -> None:
    few = topics.model_copy(update={"poison_limit": 3})
    await write(few, TRANSCRIPTS, transcript(1, 0, 900))
    newer = [Bad(b"{}", [("schema", b"undertone.transcript/2"), ("n", bytes([n]))]) for n in range(4)]
    async with producing(few) as producer:
        for each in newer[:2]:
            await producer.write(TRANSCRIPTS, SESSION_ID, each)
        await write(few, TRANSCRIPTS, transcript(2, 1000, 1900))
        for each in newer[:3]:
            await producer.write(TRANSCRIPTS, SESSION_ID, each)
        await write(few, TRANSCRIPTS, transcript(3, 2000, 2900))
    for _ in range(2):
        async with running_app(make_classifier, few) as adapter:
            await until(adapter.failed.done, 20)
        with pytest.raises(FatalError, match=r"3 records in a row.*offset 6.*newer.*UNDERTONE_POISON_LIMIT"):
            adapter.failed.result()
        assert await committed(few, "classifier", TRANSCRIPTS) == 4
    assert len({letter.id for letter in await letters(few)}) == 5
    assert [each.seq for each in await read_events(few, UTTERANCES) if isinstance(each, Utterance)] == [1, 2]
    async with running_app(make_classifier, few.model_copy(update={"poison_limit": 4})):
        await until(lambda: _holds(few, UTTERANCES, 3), 20)
    assert await committed(few, "classifier", TRANSCRIPTS) == 8
    assert len({letter.id for letter in await letters(few)}) == 5


async def test_what_ends_a_partition_is_acknowledged_with_the_next_that_is_read(topics: Settings) -> None:
    async with running_app(make_classifier, topics), producing(topics) as producer:
        await write(topics, TRANSCRIPTS, transcript(1, 0, 900))
        await producer.write(TRANSCRIPTS, SESSION_ID, Bad(b"{", []))
        await until(lambda: _has_letters(topics, 1), 20)
        await until(lambda: _committed(topics, 1), 10)
        await write(topics, TRANSCRIPTS, transcript(2, 1000, 1900))
        await until(lambda: _committed(topics, 3), 10)


async def test_without_room_for_the_letter_the_worker_stops_and_acknowledges_nothing(topics: Settings) -> None:
    admin = AIOKafkaAdminClient(**client_options(topics))
    await admin.start()
    name = topic_name(topics, DEAD_LETTERS)
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": "1000"})])
    await admin.close()
    async with producing(topics) as producer:
        await producer.write(TRANSCRIPTS, SESSION_ID, Bad(bytes(5000), []))
    await write(topics, TRANSCRIPTS, transcript(1, 0, 900))
    async with running_app(make_classifier, topics) as adapter:
        await until(adapter.failed.done, 20)
    with pytest.raises(FatalError, match="trying again would not help"):
        adapter.failed.result()
    assert await committed(topics, "classifier", TRANSCRIPTS) is None
    assert await read_records(topics, UTTERANCES) == []


async def test_an_engine_that_fails_for_harmless_text_too_stops_before_anything_is_given_out(
    topics: Settings,
) -> None:
    def make(settings: Settings, outputs: Outputs, dead_letters: DeadLetters) -> Classifier:
        def judge(final: Transcript) -> Sentiment | Unjudged:
            raise MemoryError("no room for the model")

        return Classifier(judge, outputs)

    await write(topics, TRANSCRIPTS, transcript(1, 0, 900))
    async with running_app(make, topics) as adapter:
        await until(adapter.failed.done, 20)
    with pytest.raises(FatalError, match=r"the sentiment engine fails.*no room for the model"):
        adapter.failed.result()
    assert await committed(topics, "classifier", TRANSCRIPTS) is None
    assert await read_records(topics, UTTERANCES) == await read_records(topics, DEAD_LETTERS) == []


class Fragile:
    """The real engine, which breaks on samples of full scale, or on all: raises, or computes what is no number."""

    def __init__(self, engine: SpeechEngine, *, is_broken: bool = False, raises: bool = True) -> None:
        self._engine = engine
        self._is_broken = is_broken
        self._raises = raises
        self.name = engine.name
        self.languages = engine.languages

    def warm(self) -> None:
        self._engine.warm()

    def transcribe(self, samples: Samples, language: str | None) -> Hearing:
        if not self._is_broken and np.abs(samples).max() <= 0.99:
            return self._engine.transcribe(samples, language)
        if self._raises:
            raise RuntimeError("the decoder fell over")
        return replace(self._engine.transcribe(samples, language), avg_logprob=math.nan)


@pytest.mark.parametrize("raises", [True, False], ids=["raises", "no number"])
async def test_audio_that_crashes_the_decoder_is_put_aside_and_the_session_goes_on(
    topics: Settings, monkeypatch: pytest.MonkeyPatch, raises: bool
) -> None:
    monkeypatch.setattr(transcriber, "load_engine", lambda settings: Fragile(load_engine(settings), raises=raises))
    clip = read_clip("1688-142285-0002.flac")
    loud = np.clip(np.frombuffer(clip, "<i2").astype(int) * 40, -32_768, 32_767).astype("<i2").tobytes()
    log = log_of(SESSION_ID, loud + silence(1500) + clip + silence(1500))
    async with transcribing(topics):
        await publish(topics, log)
        session = (await ended(topics, SESSION_ID))[SESSION_ID]
    broken, whole = finals(await read_events(topics, TRANSCRIPTS), SESSION_ID)
    assert (broken.text, broken.quality.suppressed) == ("", "failed")
    assert "thought me so silly" in whole.text
    assert (session.utterances, session.suppressed) == (1, 1)
    (letter,) = await letters(topics)
    assert (letter.why.app, letter.why.topic, letter.why.given_out) == ("transcriber", "audio", True)
    assert ("the decoder fell over" if raises else "is no number") in letter.why.error
    first, last = broken.first_sample, broken.end_sample
    assert letter.value == (loud + silence(1500))[2 * first : 2 * last]


async def test_a_broken_decoder_stops_the_worker_and_gives_no_utterance_up(
    topics: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcriber, "load_engine", lambda settings: Fragile(load_engine(settings), is_broken=True))
    async with transcribing(topics) as adapter:
        await publish(topics, log_of(SESSION_ID, read_clip("1688-142285-0002.flac") + silence(1500)))
        await until(adapter.failed.done, 60)
    with pytest.raises(FatalError, match=r"the Whisper engine fails.*with silence too"):
        adapter.failed.result()
    assert not finals(await read_events(topics, TRANSCRIPTS), SESSION_ID)
    assert await read_records(topics, DEAD_LETTERS) == []


async def _holds(settings: Settings, topic: Topic, least: int) -> bool:
    return len(await read_records(settings, topic)) >= least


async def _has_letters(settings: Settings, count: int) -> bool:
    return len(await letters(settings)) >= count


async def _committed(settings: Settings, offset: int) -> bool:
    return await committed(settings, "classifier", TRANSCRIPTS) == offset
