"""The transcriber on real Kafka, with the real network for voice and the real Whisper."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from models.speech.engines import Hearing, Samples
from stream_apps.adapter import BUFFERED_RECORDS
from stream_apps.conversation import Conversation
from stream_apps.listener import Entry, Outcome
from stream_apps.stenographer import Stenographer
from stream_apps.transcriber import UNSETTLED_AT_MOST
from tests.clips import log_of, read_clip, silence
from tests.streams import read_events, read_records
from tests.transcribing import comparable, ended, finals, publish, transcribing
from tests.waiting import until
from undertone.events import Mark, Partial, Session
from undertone.identifiers import make_session_id
from undertone.kafka import open_publisher
from undertone.records import Audio, Open
from undertone.settings import Settings
from undertone.topics import DEAD_LETTERS, PARTIALS, SESSIONS, TRANSCRIPTS

ONE, TWO, THREE = (make_session_id(1_790_000_000_000, number) for number in range(3))


async def test_sessions_side_by_side_say_what_each_says_alone(topics: Settings) -> None:
    spoken = read_clip("jfk.flac") + silence(1500) + read_clip("LJ001-0002.flac")
    korean = read_clip("korean.flac")
    async with transcribing(topics):
        await publish(topics, log_of(ONE, spoken))
        await ended(topics, ONE)
        await publish(topics, log_of(TWO, spoken, frame_ms=70), log_of(THREE, korean))
        sessions = await ended(topics, ONE, TWO, THREE)
    events = await read_events(topics, TRANSCRIPTS)
    alone, beside = finals(events, ONE), finals(events, TWO)
    assert comparable(alone) == comparable(beside)
    text = " ".join(final.text for final in alone).lower()
    assert "ask what you can do for your country" in text
    assert "comparatively modern" in text
    assert {final.language for final in alone} == {"en"}
    assert {final.language for final in finals(events, THREE)} == {"ko"}
    assert (sessions[ONE].utterances, sessions[ONE].suppressed) == (len(alone), 0)
    marks = [event for event in events if isinstance(event, Mark) and event.session_id == ONE]
    assert marks[-1].ended == "stop"
    assert marks[-1].through == len(spoken) // 2
    numbers = [event.seq for event in events if event.session_id == ONE]  # type: ignore[union-attr]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_noise_and_silence_give_no_utterance_that_counts(topics: Settings) -> None:
    async with transcribing(topics):
        await publish(topics, log_of(ONE, read_clip("noise.flac") + silence(12_000)), log_of(TWO, silence(25_000)))
        sessions = await ended(topics, ONE, TWO)
    assert [sessions[one].utterances for one in (ONE, TWO)] == [0, 0]
    events = await read_events(topics, TRANSCRIPTS)
    assert finals(events, TWO) == []
    assert [event.through for event in events if event.session_id == TWO][-1] == 400_000  # type: ignore[union-attr]


async def test_a_flood_is_held_back_at_the_partition_and_nothing_of_it_is_lost(
    topics: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is heard at first: what waits then is bounded, but for what is fetched already."""
    heard, taken_s = threading.Event(), list[float]()
    take, hear_on = Stenographer.take, Conversation.hear_on

    def taking(self: Stenographer, entry: Entry, settle: Callable[[], None]) -> None:
        taken_s.append(time.monotonic())
        take(self, entry, settle)

    def hearing(self: Conversation, entries: Sequence[Entry]) -> list[Outcome]:
        heard.wait(60)
        return hear_on(self, entries)

    monkeypatch.setattr(Stenographer, "take", taking)
    monkeypatch.setattr(Conversation, "hear_on", hearing)
    async with transcribing(topics) as adapter:
        commands: list[str] = []
        command = adapter._command

        def note(verb: str, partition: int) -> None:
            commands.append(verb)
            command(verb, partition)

        adapter._command = note  # type: ignore[method-assign]
        await publish(topics, log_of(ONE, silence(400_000), frame_ms=1000), log_of(TWO, read_clip("LJ001-0002.flac")))
        try:
            await until(lambda: commands and time.monotonic() - taken_s[-1] > 1, 30, "no more is taken")
            waiting = len(taken_s)
        finally:
            heard.set()
        sessions = await ended(topics, ONE, TWO)
        assert not adapter.failed.done()
    assert sessions[ONE].through == 400 * 16_000
    assert commands[:2] == ["pause", "resume"]
    assert waiting <= UNSETTLED_AT_MOST // 16_000 + 3 * BUFFERED_RECORDS < 400
    assert finals(await read_events(topics, TRANSCRIPTS), TWO)


async def test_a_session_that_is_silent_on_the_wire_ends_and_later_audio_reopens_it(topics: Settings) -> None:
    settings = topics.model_copy(update={"idle_after_s": 1})
    pcm = read_clip("LJ001-0002.flac")
    half = len(pcm) // 4 * 2
    first = log_of(ONE, pcm[:half])[:-1]
    rest = [
        replace(record, at=record.at + half // 2) for record in log_of(ONE, pcm[half:]) if isinstance(record, Audio)
    ]
    async with transcribing(settings):
        await publish(settings, [*first])
        session = (await ended(settings, ONE))[ONE]
        assert (session.reason, session.through) == ("idle", half // 2)
        await publish(settings, [Open(ONE, "b", half // 2), *(replace(record, connection="b") for record in rest)])

        async def reopened() -> bool:
            return any(
                isinstance(event, Session) and event.state == "live" and event.seq >= session.seq
                for event in (await read_events(settings, SESSIONS))[-2:]
            )

        await until(reopened, 30)
        assert (await ended(settings, ONE))[ONE].through == len(pcm) // 2


async def test_live_speech_is_shown_before_it_is_final(topics: Settings) -> None:
    pcm = read_clip("LJ001-0002.flac") + silence(800) + read_clip("LJ001-0008.flac")  # one utterance, with a pause
    log = log_of(ONE, pcm)
    async with transcribing(topics) as adapter, open_publisher(topics) as publisher:
        await until(lambda: adapter.why_not_ready() is None, 30, "the transcriber has its partitions")
        began_s = time.monotonic()
        for number, record in enumerate(log):
            await publisher.publish_audio(record)
            await asyncio.sleep(max(0.0, began_s + number * 0.1 - time.monotonic()))  # a recorder sends in real time
        await ended(topics, ONE)
    shown = [event for event in await read_events(topics, PARTIALS) if isinstance(event, Partial)]
    said = finals(await read_events(topics, TRANSCRIPTS), ONE)
    assert {partial.first_sample for partial in shown} <= {final.first_sample for final in said}
    assert len(said) == 1
    assert any("modern" in partial.text.lower() and partial.rev < said[0].end_sample for partial in shown)


async def test_audio_that_crashes_the_decoder_is_put_aside_and_the_session_goes_on(topics: Settings) -> None:
    pcm = read_clip("LJ001-0002.flac") + silence(1500) + read_clip("LJ001-0008.flac") + silence(200)
    settings = topics.model_copy(update={"partials": False})  # a decode for show would be among those that fail
    async with transcribing(settings) as adapter:
        scheduler = adapter._app.app._desk.scheduler  # type: ignore[attr-defined]
        engine, failures = scheduler.engine, 0

        def transcribe(samples: Samples, language: str | None) -> Hearing:
            nonlocal failures
            if abs(len(samples) - first_length) < 8000 and failures < 2:
                failures += 1
                raise RuntimeError("the decoder crashed")
            heard: Hearing = real(samples, language)
            return heard

        real, first_length = engine.transcribe, len(read_clip("LJ001-0002.flac")) // 2
        engine.transcribe = transcribe
        await publish(topics, log_of(ONE, pcm))
        sessions = await ended(topics, ONE)
    said = finals(await read_events(topics, TRANSCRIPTS), ONE)
    assert [final.quality.suppressed for final in said] == ["failed", None]
    assert said[0].text == ""
    assert (sessions[ONE].utterances, sessions[ONE].suppressed) == (1, 1)
    (letter,) = await read_records(topics, DEAD_LETTERS)
    assert letter.value is not None
    assert np.frombuffer(letter.value, "<i2").size == said[0].end_sample - said[0].first_sample
    assert b"the decoder crashed" in dict(letter.headers)["dead-letter"]
