"""What people say again and again counts; what a decoder says again and again does not. On real weights."""

import numpy as np
import pytest

from benchmarks.hearing.live import Utterance, take_down
from models.speech.engines import SpeechEngine
from models.speech.repetition import said_once
from models.speech.segmenter import SegmentRules
from tests.clips import SPEECH, read_clip, silence
from tests.contract.test_speech_engines import load, on_torch

REPETITION = SPEECH.parent / "repetition"
RATE = 16_000


@pytest.fixture(scope="module", params=["faster-whisper", on_torch("openai-whisper")])
def engine(request: pytest.FixtureRequest) -> SpeechEngine:
    return load(request.param)


def hear(pcm: bytes, language: str | None, engine: SpeechEngine) -> list[Utterance]:
    return list(take_down(pcm, language, engine, SegmentRules()))


def counted(clip: str, language: str | None, engine: SpeechEngine) -> str:
    """The text of a clip that counts, with what is repeated said once."""
    utterances = hear(read_clip(str(REPETITION / f"{clip}.flac")), language, engine)
    return " ".join(" ".join(said_once(one.hearing.text)) for one in utterances if one.counts)


@pytest.mark.parametrize(
    ("clip", "language", "words"),
    [
        ("no-no-no-stop-it", "en", "no stop it"),
        ("said-four-times", "en", "never been surpassed"),
        ("yes-yes-yes", "en", "yes"),
        ("we-want-justice", "en", "we want justice"),
        ("never-again", "en", "never again"),
        ("for-you", "en", "for you"),
        ("korean", "ko", "제가"),
    ],
)
def test_what_somebody_repeats_counts(engine: SpeechEngine, clip: str, language: str, words: str) -> None:
    assert words in counted(clip, language, engine)


def test_it_counts_where_the_language_is_detected_too(engine: SpeechEngine) -> None:
    assert "stop it" in counted("no-no-no-stop-it", None, engine)


def test_repeated_decodes_give_the_same(engine: SpeechEngine) -> None:
    pcm = read_clip(str(REPETITION / "for-you.flac"))
    assert [one.hearing for one in hear(pcm, "en", engine)] == [one.hearing for one in hear(pcm, "en", engine)]


def melody(notes: int) -> bytes:
    """The same two bars of plucked notes again and again."""
    time = np.arange(RATE // 4) / RATE
    pitches = [220 * 2 ** (step / 12) for step in (0, 4, 7, 12, 7, 4)]
    tones = [np.sin(2 * np.pi * pitches[note % 6] * time) * np.exp(-6 * time) for note in range(notes)]
    return (np.concatenate(tones) * 12_000).astype("<i2").tobytes()


def pulses(seconds: int) -> bytes:
    """Noise that comes and goes five times a second, as an engine or a ringing phone does."""
    time = np.arange(seconds * RATE) / RATE
    noise = np.random.default_rng(5).normal(0, 3000, len(time))
    return (noise * (np.sin(2 * np.pi * 5 * time) > 0)).astype("<i2").tobytes()


@pytest.mark.parametrize("language", ["en", "ko", None])
def test_nothing_that_nobody_said_is_confirmed(engine: SpeechEngine, language: str | None) -> None:
    for pcm in (melody(40), pulses(10), silence(10_000), read_clip("noise.flac")):
        assert [one.hearing for one in hear(pcm + silence(1500), language, engine) if one.counts] == []
        hearing = engine.transcribe(np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768), language)
        assert not hearing.is_confirmed
