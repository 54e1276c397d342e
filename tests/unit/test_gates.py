"""The gates: each reason alone, in its order, and real speech passes."""

import dataclasses

import pytest

from models.speech.engines import Hearing, compression_ratio, token_cap
from models.speech.faster_whisper_engine import choose, is_sound, window_s
from models.speech.gates import suppression
from undertone.events import Suppression

GOOD = Hearing("What can I do for you?", "en", None, -0.3, 0.05, 0.7, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"text": ""}, "no_speech"),
        ({"text": " … ♪ ?!"}, "no_speech"),
        ({"text": "네"}, None),
        ({"no_speech_probability": 0.9}, "no_speech"),
        ({"no_speech_probability": 0.9, "avg_logprob": -0.1}, None),
        ({"no_speech_probability": 0.45, "avg_logprob": -1.1}, None),
        ({"compression_ratio": 2.5}, "repetition"),
        ({"compression_ratio": 2.5, "avg_logprob": -2.0}, "repetition"),
        ({"avg_logprob": -1.25}, "low_confidence"),
        ({"text": "and so on " * 20}, "low_confidence"),
    ],
)
def test_reasons(change: dict[str, object], reason: Suppression | None) -> None:
    assert suppression(dataclasses.replace(GOOD, **change), 2000) == reason  # type: ignore[arg-type]


def test_windows_follow_the_speech_and_end_at_30_s() -> None:
    windows = [window_s(seconds * 16_000) for seconds in (0, 1, 9, 10, 20, 27, 30)]
    assert windows == [12, 12, 12, 13, 23, 30, 30]


def test_tokens_are_capped_in_proportion() -> None:
    assert [token_cap(seconds * 16_000) for seconds in (0, 2, 30)] == [16, 46, 224]


def test_repetition_shows_in_the_compression_ratio() -> None:
    assert compression_ratio("") == 0
    assert compression_ratio("thank you very much " * 10) > 2.4
    assert compression_ratio(GOOD.text) < 1


def test_the_better_hearing_is_varied_then_likelier_then_the_first() -> None:
    looping = dataclasses.replace(GOOD, compression_ratio=9.0, avg_logprob=-0.1)
    unlikely = dataclasses.replace(GOOD, avg_logprob=-1.4)
    second = dataclasses.replace(GOOD, attempts=2)
    assert not is_sound(looping)
    assert not is_sound(unlikely)
    assert is_sound(GOOD)
    assert choose(looping, unlikely) is unlikely
    assert choose(unlikely, looping) is unlikely
    assert choose(unlikely, GOOD) is GOOD
    assert choose(GOOD, second) is GOOD
