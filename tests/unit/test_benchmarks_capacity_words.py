"""Ends of speech, and delays by words: the measure of the capacity benchmark that any system can be put to."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.capacity.delays import Delay
from benchmarks.capacity.ends import Span, find_ends, find_speech
from benchmarks.capacity.seen import Seen, View
from benchmarks.capacity.words import find_shown, last_places, measure_words, settle_times
from benchmarks.clips import Clip
from benchmarks.materials import join_clips
from tests.clips import read_clip
from undertone.audio import SAMPLE_RATE

SECOND = SAMPLE_RATE


def split(text: str) -> list[str]:
    return text.split()


# Ends of speech


def test_ends_are_where_nobody_speaks_for_long_enough() -> None:
    spans = [Span(0, 10), Span(25, 30), None, Span(34, 50), Span(60, 70)]
    assert find_ends(spans, stopped=10) == [0, 3]


def test_speech_is_found_in_a_clip() -> None:
    samples = np.frombuffer(read_clip("LJ001-0002.flac"), "<i2").astype(np.float32) / np.float32(32768)
    quiet = np.zeros(SECOND, np.float32)
    alone, padded = find_speech(samples), find_speech(np.concatenate([quiet, samples, quiet]))
    assert alone is not None
    assert padded is not None
    assert abs(padded.start - alone.start - SECOND) < SECOND // 5
    assert abs(padded.end - alone.end - SECOND) < SECOND // 5
    assert find_speech(quiet) is None


def test_materials_are_the_same_for_the_same_seed_and_know_where_clips_begin() -> None:
    random = np.random.default_rng(1)
    clips = [Clip("a", random.normal(0, 0.1, SECOND).astype(np.float32), "en", word, True) for word in "abc"]
    material = join_clips(clips, 8, Random(1))
    assert material == join_clips(clips, 8, Random(1))
    assert material.reference.split() == [str(placed.clip.reference) for placed in material.clips]
    samples = np.frombuffer(material.pcm, "<i2") / 32768
    for placed in material.clips:
        assert np.allclose(samples[placed.start : placed.start + SECOND], placed.clip.samples, atol=1e-4)


# Words


def test_the_last_word_of_each_clip_has_its_place() -> None:
    references = [["one", "two"], ["three", "four"], ["five"], ["six", "seven"]]
    assert last_places(references, ["one", "too", "three", "six", "seven", "eight"]) == [1, 2, None, 4]
    assert last_places(references, []) == [None] * 4


def test_a_word_is_final_when_it_and_all_before_it_stay() -> None:
    views = [
        View(1.0, "", "the cat"),
        View(2.0, "the cat", ""),
        View(3.0, "the cat sat on", ""),
        View(4.0, "the cat sad on", ""),
        View(5.0, "the cat sat on", "the mat"),
        View(6.0, "the cat sat on the mat", ""),
    ]
    times = settle_times(views, split(views[-1].final), split)
    assert times == [2.0, 2.0, 5.0, 5.0, 6.0, 6.0]


@given(st.lists(st.text("ab ", max_size=8), min_size=1, max_size=8))
def test_final_times_never_fall_and_are_never_before_the_word_is_there(finals: list[str]) -> None:
    views = [View(float(number), final, "") for number, final in enumerate(finals)]
    final = split(finals[-1])
    times = settle_times(views, final, split)
    assert times == sorted(times)
    for place, at_s in enumerate(times):
        assert all(split(view.final)[: place + 1] == final[: place + 1] for view in views if view.at_s >= at_s)
        before = [view for view in views if view.at_s < at_s]
        assert not before or split(before[-1].final)[: place + 1] != final[: place + 1]


def test_a_word_is_shown_where_it_ends_up_or_near_it() -> None:
    views = [
        View(1.0, "", "mat mat"),
        View(2.0, "the cat", "sat on"),
        View(3.0, "the cat", "sat on mat"),
        View(4.0, "the cat sat on the mat", ""),
    ]
    assert find_shown(views, 5, "mat", split) == 3.0
    assert find_shown(views, 1, "cat", split) == 2.0
    assert find_shown(views, 5, "hat", split) is None


def test_delays_by_words() -> None:
    seen = Seen(began_s=100.0)
    seen.show(103.0, "", "The cat sat")
    seen.show(105.5, "The cat sat.", "")
    seen.show(109.0, "The cat sat. A dog", "")
    spans = [Span(0, 4 * SECOND), Span(6 * SECOND, 8 * SECOND), Span(10 * SECOND, 12 * SECOND)]
    delays = measure_words(seen, ["the cat sat", "a dog", "gone"], spans, [0, 1, 2])
    assert delays == [
        Delay(0, 4 * SECOND, 1.5, -1.0),
        Delay(6 * SECOND, 8 * SECOND, 1.0, 1.0),
        Delay(10 * SECOND, 12 * SECOND, None, None),
    ]
