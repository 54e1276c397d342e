"""Silence that is skipped changes nothing of what is found in a recording, and nothing else is skipped."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from models.speech.segmenter import SegmentRules, Voice
from models.speech.voice_activity import load_voice_activity
from stream_apps.listener import Entry
from tests.clips import read_clip
from tests.heard import QUICK, heard
from tests.voices import LoudnessVoice, TiringVoice
from undertone.audio import BYTES_PER_SAMPLE, SILENCE_GRID, to_samples
from undertone.identifiers import make_session_id
from undertone.recording.silence import Part, Silence, blocks_of, in_blocks, skip_silence
from undertone.records import Audio, AudioRecord, Close, Gap, Open

SESSION_ID = make_session_id(1_790_000_000_000, 7)
BLOCK = 16_000
GRID = 14_336  # as the usual one lies below the usual stretch of silence, so does this one below that of QUICK
FAST = replace(QUICK, grid=GRID)

Found = list[tuple[int, int, bytes]]


def find(parts: Sequence[Part], voice: Callable[[], Voice], rules: SegmentRules) -> Found:
    """Start, end and samples of each utterance in the log of an upload that is made of these parts."""
    log: list[AudioRecord] = [Open(SESSION_ID, "file-1", 0)]
    at = 0
    for part in parts:
        if isinstance(part, Silence):
            log.append(Gap(SESSION_ID, "file-1", at, at + part.samples))
            at += part.samples
        else:
            log.append(Audio(SESSION_ID, "file-1", at, part))
            at += len(part) // BYTES_PER_SAMPLE
    log.append(Close(SESSION_ID, "file-1", at, "stop"))
    entries = [Entry(offset, 1_790_000_000_000 + offset, record) for offset, record in enumerate(log, 10)]
    return [(speech.start, speech.end, speech.samples.tobytes()) for speech in heard(SESSION_ID, entries, voice, rules)]


def joined(parts: Sequence[Part]) -> bytes:
    return b"".join(bytes(2 * part.samples) if isinstance(part, Silence) else part for part in parts)


def pcm_of(*pieces: tuple[str, int]) -> bytes:
    """Stretches of so many samples each: zeros, speech as the loudness voice has it, or hardly audible noise."""
    random = np.random.default_rng(1)
    sound = []
    for kind, samples in pieces:
        wave = np.sin(np.arange(samples) / 3) * 12_000
        hiss = random.integers(-1, 2, samples)
        sound.append({"zero": np.zeros(samples), "loud": wave, "hiss": hiss}[kind].astype("<i2"))
    return np.concatenate(sound).tobytes()


LONG_ZEROS = st.tuples(st.just("zero"), st.integers(3 * GRID, 12 * GRID))
SOUND = st.tuples(st.sampled_from(["loud", "loud", "zero", "hiss"]), st.integers(100, 40_000))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(LONG_ZEROS, SOUND), min_size=1, max_size=7), st.sampled_from([LoudnessVoice, TiringVoice]))
@example([("loud", 20_001), ("zero", 9 * GRID + 77), ("loud", 9_000), ("zero", 5 * GRID)], LoudnessVoice)
@example([("zero", 8 * GRID), ("hiss", 3_000), ("loud", 30_000), ("zero", 8 * GRID)], TiringVoice)
def test_the_utterances_are_the_same_to_the_sample(pieces: list[tuple[str, int]], voice: Callable[[], Voice]) -> None:
    pcm = pcm_of(*pieces)
    skipped = list(in_blocks(skip_silence([pcm], GRID), BLOCK))
    assert joined(skipped) == pcm
    assert find(skipped, voice, FAST) == find(list(blocks_of([pcm], BLOCK)), voice, FAST)


def test_real_speech_around_minutes_of_silence_is_found_at_the_same_samples() -> None:
    """With the real network, speech that ends and begins at odd samples, and a hum that is no speech before it."""
    first, second = read_clip("jfk.flac")[:-66], read_clip("korean.flac")
    hum = (np.sin(np.arange(40_001) / 40) * 300).astype("<i2").tobytes()
    pcm = first + bytes(2 * to_samples(95_003)) + hum + second + bytes(2 * to_samples(61_007)) + first
    skipped = list(in_blocks(skip_silence([pcm]), BLOCK))
    network = load_voice_activity().listen
    found = find(skipped, network, SegmentRules())
    assert len(found) >= 3
    assert found == find(list(blocks_of([pcm], BLOCK)), network, SegmentRules())
    assert sum(part.samples for part in skipped if isinstance(part, Silence)) > to_samples(70_000)


def test_hours_of_silence_cost_half_a_minute() -> None:
    hour = to_samples(3_600_000)
    parts = list(in_blocks(skip_silence(bytes(2 * BLOCK) for _ in range(24 * hour // BLOCK)), BLOCK))
    assert sum(part.samples for part in parts if isinstance(part, Silence)) > 24 * hour - to_samples(40_000)
    assert sum(isinstance(part, Silence) for part in parts) == 1


@given(st.lists(st.one_of(LONG_ZEROS, SOUND), min_size=1, max_size=7), st.integers(1, 50_000), st.integers(1, 20_000))
@settings(max_examples=60, deadline=None)
def test_how_the_samples_come_does_not_matter(pieces: list[tuple[str, int]], step: int, block: int) -> None:
    pcm = pcm_of(*pieces)
    split = [pcm[at : at + 2 * step] for at in range(0, len(pcm), 2 * step)]
    parts = list(in_blocks(skip_silence(split, GRID), block))
    assert parts == list(in_blocks(skip_silence([pcm], GRID), block))
    assert joined(parts) == pcm
    assert all(0 < len(part) <= 2 * block for part in parts if not isinstance(part, Silence))


def test_what_is_not_zero_or_not_long_is_sent() -> None:
    for pieces in ([("hiss", 20 * GRID)], [("loud", 5000), ("zero", 3 * GRID), ("loud", 5000)]):
        assert not any(isinstance(part, Silence) for part in skip_silence([pcm_of(*pieces)], GRID))


def test_the_grid_is_within_the_stretch_after_which_silence_is_marked() -> None:
    rules = SegmentRules()
    assert rules.grid == SILENCE_GRID
    assert rules.grid <= rules.mark - rules.pre_roll
    # What is kept before a gap: an utterance ends within the longest endpoint, then silence is marked on the grid.
    assert to_samples(5000) + rules.mark + BLOCK < 2 * SILENCE_GRID
