"""Bad input on real Kafka, with the real network for voice and the real Whisper: it harms nobody and says nothing."""

import numpy as np

from tests.clips import log_of, read_clip, silence
from tests.streams import read_events, read_records
from tests.transcribing import comparable, ended, finals, publish, transcribing
from undertone.audio import SAMPLE_RATE
from undertone.events import Mark
from undertone.identifiers import make_session_id
from undertone.records import Audio, AudioRecord, Close, Gap
from undertone.settings import Settings
from undertone.topics import DEAD_LETTERS, TRANSCRIPTS

HOUR = 3600 * SAMPLE_RATE
SECONDS = 20
RANDOM = np.random.default_rng(7)


def session(number: int) -> str:
    return make_session_id(1_790_000_000_000, number)


def changed(clip: str, gain: float = 1, offset: float = 0) -> bytes:
    """A clip louder and shifted, cut off at full scale."""
    samples = np.frombuffer(read_clip(clip), "<i2").astype(float) * gain + offset * 32_768
    return np.clip(samples, -32_768, 32_767).astype("<i2").tobytes()


def constant(value: int) -> bytes:
    return np.full(SECONDS * SAMPLE_RATE, value, "<i2").tobytes()


NOT_SPEECH = {
    "zeros": silence(SECONDS * 1000),
    "full scale": constant(-32_768),
    "random bytes": RANDOM.bytes(2 * SECONDS * SAMPLE_RATE),
    "clicks": np.where(RANDOM.random(SECONDS * SAMPLE_RATE) < 0.001, 32_767, 0).astype("<i2").tobytes(),
    "square": np.where(np.arange(SECONDS * SAMPLE_RATE) // 40 % 2, 32_767, -32_768).astype("<i2").tobytes(),
    "one sample": b"\x00\x40",
    "clipped noise": changed("noise.flac", gain=200),
}
SPEECH = {
    "clipped": changed("jfk.flac", gain=20),
    "shifted": changed("jfk.flac", offset=0.2),
    "soft": changed("jfk.flac", gain=0.02),
}


async def test_bad_sound_gives_no_invented_text_and_leaves_other_sessions_alone(topics: Settings) -> None:
    good = log_of(session(100), read_clip("jfk.flac") + silence(1500) + read_clip("LJ001-0002.flac"))
    bad = {name: log_of(session(number), pcm) for number, (name, pcm) in enumerate((NOT_SPEECH | SPEECH).items())}
    async with transcribing(topics) as adapter:
        await publish(topics, good)
        await ended(topics, session(100))
        beside = log_of(session(101), b"".join(record.pcm for record in good if isinstance(record, Audio)))
        await publish(topics, beside, *bad.values())
        sessions = await ended(topics, session(101), *(log[0].session_id for log in bad.values()))
        assert not adapter.failed.done()
    events = await read_events(topics, TRANSCRIPTS)
    assert comparable(finals(events, session(101))) == comparable(finals(events, session(100)))
    assert await read_records(topics, DEAD_LETTERS) == []
    for name, log in bad.items():
        record = sessions[log[0].session_id]
        text = " ".join(final.text for final in finals(events, record.session_id) if not final.quality.suppressed)
        assert record.through == log[-1].at
        if name in NOT_SPEECH:
            assert (name, text, record.utterances, record.language) == (name, "", 0, None)
        else:
            assert (name, "ask what you can do for your country" in text.lower()) == (name, True)


async def test_a_session_that_jumps_forward_an_hour_goes_on_there(topics: Settings) -> None:
    one = session(0)
    first, second = read_clip("1688-142285-0002.flac"), read_clip("LJ001-0002.flac")
    there = len(first) // 2 + HOUR
    log: list[AudioRecord] = [
        *log_of(one, first)[:-1],
        Gap(one, "a", len(first) // 2, there),
        *(Audio(one, "a", there + part.at, part.pcm) for part in log_of(one, second) if isinstance(part, Audio)),
        Close(one, "a", there + len(second) // 2, "stop"),
    ]
    async with transcribing(topics):
        await publish(topics, log)
        record = (await ended(topics, one))[one]
    events = await read_events(topics, TRANSCRIPTS)
    before, after = finals(events, one)
    assert "thought me so silly" in before.text
    assert before.end_sample <= len(first) // 2
    assert "comparatively modern" in after.text
    assert there <= after.first_sample < there + SAMPLE_RATE
    assert [event.through for event in events if isinstance(event, Mark)] == [there, record.through]
    assert record.seq == 4


async def test_two_languages_in_one_sentence_are_one_utterance_in_one_of_them(topics: Settings) -> None:
    english, korean = read_clip("1688-142285-0002.flac"), read_clip("korean.flac")
    mixed = english[: len(english) // 4 * 2] + korean[: len(korean) // 4 * 2] + english[len(english) // 4 * 2 :]
    async with transcribing(topics):
        await publish(topics, log_of(session(0), mixed), log_of(session(1), mixed + silence(1500) + mixed))
        sessions = await ended(topics, session(0), session(1))
    events = await read_events(topics, TRANSCRIPTS)
    alone, twice = finals(events, session(0)), finals(events, session(1))
    assert alone
    assert {final.language for final in alone + twice} <= {"en", "ko"}
    assert all(sessions[session(number)].language in {None, "en", "ko"} for number in (0, 1))
    first = [one.text for one in twice[: len(alone)]]
    assert first == [one.text for one in alone]
