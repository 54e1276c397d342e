"""Korean and English in one session, on real Kafka with the real Whisper: each utterance comes out in its language."""

import asyncio
import time

from tests.clips import log_of, read_clip, silence
from tests.streams import read_events
from tests.transcribing import comparable, ended, finals, publish, transcribing
from undertone.events import Transcript
from undertone.identifiers import make_session_id
from undertone.kafka import open_publisher
from undertone.records import AudioRecord, Open
from undertone.settings import Settings
from undertone.topics import TRANSCRIPTS

ONE, TWO = (make_session_id(1_790_000_000_000, number) for number in range(2))
ENGLISH, KOREAN, PAUSE = read_clip("1688-142285-0002.flac"), read_clip("korean.flac"), silence(1500)
TURNS = {"en": ENGLISH, "ko": KOREAN}


def alternating(*languages: str) -> bytes:
    """One turn after another, with a pause behind each."""
    return b"".join(TURNS[language] + PAUSE for language in languages)


def spoken_at(final: Transcript, languages: tuple[str, ...]) -> str:
    """The language of the turn in which an utterance lies."""
    middle, end = (final.first_sample + final.end_sample) // 2, 0
    for language in languages:
        end += len(TURNS[language] + PAUSE) // 2
        if middle < end:
            return language
    raise AssertionError(f"nobody speaks at {final.start_ms} ms")


async def test_each_utterance_of_a_session_comes_out_in_its_language(topics: Settings) -> None:
    first, second = ("en", "ko", "en", "ko", "ko", "en"), ("ko", "en", "en", "ko")
    async with transcribing(topics):
        await publish(topics, log_of(ONE, alternating(*first)), log_of(TWO, alternating(*second)))
        sessions = await ended(topics, ONE, TWO)
    events = await read_events(topics, TRANSCRIPTS)
    for session, languages in ((ONE, first), (TWO, second)):
        said = finals(events, session)
        assert [final.quality.suppressed for final in said] == [None] * len(said)
        assert [final.language for final in said] == [spoken_at(final, languages) for final in said]
        for language, words in (("en", "thought me so silly"), ("ko", "당일배송")):
            texts = [final.text for final in said if final.language == language]
            assert sum(words in text for text in texts) == languages.count(language)
        assert sessions[session].language == languages[-1]
        assert sessions[session].language_probability


async def test_a_language_that_the_recorder_gave_stays_whatever_is_spoken(topics: Settings) -> None:
    log: list[AudioRecord] = log_of(ONE, alternating("ko", "en"))
    log[0] = Open(ONE, "a", 0, language="en")
    async with transcribing(topics):
        await publish(topics, log)
        session = (await ended(topics, ONE))[ONE]
    said = finals(await read_events(topics, TRANSCRIPTS), ONE)
    assert {final.language for final in said} == {"en"}
    assert "thought me so silly" in said[-1].text
    assert (session.language, session.language_probability) == ("en", None)


async def test_a_worker_that_takes_over_hears_in_the_language_that_was_found(topics: Settings) -> None:
    languages = ("en", "ko", "en")
    whole, cut = (log_of(session, alternating(*languages)) for session in (ONE, TWO))
    middle = len(cut) // 2
    async with transcribing(topics):
        await publish(topics, whole, cut[:middle])
        await ended(topics, ONE)
    async with transcribing(topics):
        await publish(topics, cut[middle:])
        await ended(topics, TWO)
    events = await read_events(topics, TRANSCRIPTS)
    undisturbed, taken_over = finals(events, ONE), finals(events, TWO)
    assert comparable(taken_over) == comparable(undisturbed)
    assert [final.language for final in undisturbed] == list(languages)


async def test_what_was_speculated_while_somebody_spoke_is_checked_as_well(topics: Settings) -> None:
    spoken = alternating("en", "ko")
    async with transcribing(topics), open_publisher(topics) as publisher:
        began_s = time.monotonic()
        for number, record in enumerate(log_of(ONE, spoken)):
            await publisher.publish_audio(record)
            await asyncio.sleep(max(0.0, began_s + number * 0.1 - time.monotonic()))  # a recorder sends in real time
        await ended(topics, ONE)
        await publish(topics, log_of(TWO, spoken))
        await ended(topics, TWO)
    events = await read_events(topics, TRANSCRIPTS)
    live, later = finals(events, ONE), finals(events, TWO)
    assert comparable(live) == comparable(later)
    assert [final.language for final in live] == ["en", "ko"]
