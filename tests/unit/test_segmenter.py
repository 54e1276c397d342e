"""The segmenter alone: whatever the samples are, how they are split or shifted, and where it is started again."""

import tracemalloc
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.speech.segmenter import Cut, Samples, Segmenter, SegmentRules, Voice
from models.speech.voice_activity import load_voice_activity
from tests.clips import read_clip, silence
from tests.voices import LoudnessVoice

RULES = SegmentRules(
    endpoint=4096, pre_roll=1536, hang_over=700, longest=20_480, cut_within=8192, voiced=1024, mark=16_384
)
QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def network() -> Voice:
    return load_voice_activity().listen()


def segment(
    samples: Samples,
    start_voice: Callable[[], Voice] = LoudnessVoice,
    rules: SegmentRules = RULES,
    *,
    step: int = 1 << 30,
    origin: int = 0,
) -> list[Cut]:
    """All cuts from ``origin`` on, of a stream that comes ``step`` samples at a time; each cut starts it again."""
    cuts: list[Cut] = []
    speaking = False
    while True:
        segmenter = Segmenter(origin, start_voice(), rules, speaking=speaking)
        pieces = (samples[at : at + step] for at in range(origin, len(samples), step))
        cut = next((cut for piece in pieces if (cut := segmenter.feed(piece)) is not None), None) or segmenter.flush()
        if cut is None:
            return cuts
        cuts.append(cut)
        origin, speaking = cut.through, cut.speaking


@st.composite
def streams(draw: st.DrawFn) -> Samples:
    """Loud, soft, silent, random and clipped stretches."""
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    pieces = []
    for kind, length in draw(
        st.lists(
            st.tuples(st.sampled_from(["loud", "soft", "silent", "random", "square"]), st.integers(1, 30_000)),
            min_size=1,
            max_size=6,
        )
    ):
        wave = np.sin(np.arange(length) / 3) * (1 - 0.2 * np.sin(np.arange(length) / 900))
        match kind:
            case "loud":
                pieces.append(wave * 12_000)
            case "soft":
                pieces.append(wave * 2_000)
            case "silent":
                pieces.append(np.zeros(length))
            case "random":
                pieces.append(random.integers(-32_768, 32_768, length).astype(float))
            case _:
                pieces.append(np.where(wave > 0, 32_767.0, -32_768.0))
    return np.concatenate(pieces).astype(np.int16)


@QUICK
@given(streams(), st.integers(1, 9000))
def test_the_split_of_the_samples_does_not_matter(samples: Samples, step: int) -> None:
    assert segment(samples, step=max(step, len(samples) // 200)) == segment(samples)


@QUICK
@given(streams())
def test_started_again_at_any_boundary_it_finds_the_same_ones(samples: Samples) -> None:
    cuts = segment(samples)
    for number, cut in enumerate(cuts):
        if not cut.speaking:
            assert segment(samples, origin=cut.through) == cuts[number + 1 :]


@QUICK
@given(streams())
def test_cuts_go_forward_and_are_bounded(samples: Samples) -> None:
    cuts = segment(samples)
    for before, cut in pairwise([Cut("silence", 0, 0, 0), *cuts]):
        assert before.through <= cut.start <= cut.end <= cut.through <= len(samples)
        assert cut.through > before.through
        assert cut.end - cut.start <= RULES.longest
        went_on_within = RULES.endpoint - RULES.pre_roll  # later it is another utterance, begun as early as it may
        if before.speaking and cut.kind == "utterance" and cut.start < before.through + went_on_within:
            assert cut.start == before.through  # nothing is lost at a cut of long speech


def test_an_utterance_has_its_pre_roll_and_its_hang_over() -> None:
    samples = np.zeros(40_960, np.int16)
    samples[10_240:20_480] = 12_000 * np.sign(np.sin(np.arange(10_240)))
    (cut, *_) = segment(samples)
    assert cut.start == 10_240 - RULES.pre_roll
    assert 20_480 + RULES.hang_over <= cut.end <= 20_480 + 3 * 512 + RULES.hang_over


@pytest.mark.parametrize("offset", [-16_000, -600, 600, 6500, 16_000])
def test_an_offset_of_the_microphone_does_not_change_what_is_speech(offset: int) -> None:
    clean = np.frombuffer(read_clip("jfk.flac") + silence(2000), "<i2") // 2
    shifted = (clean + offset).astype(np.int16)
    cuts, wanted = (segment(samples, network, SegmentRules()) for samples in (shifted, clean))
    assert [cut.kind for cut in cuts] == [cut.kind for cut in wanted]
    for cut, want in zip(cuts, wanted, strict=True):
        assert abs(cut.start - want.start) <= 1024
        assert abs(cut.end - want.end) <= 1024


@pytest.mark.parametrize("kind", ["zero", "full", "square", "random", "bytes"])
def test_what_is_no_speech_gives_marks_alone_and_keeps_no_samples(kind: str) -> None:
    length = 60 * 16_000
    random = np.random.default_rng(3)
    samples = {
        "zero": np.zeros(length),
        "full": np.full(length, -32_768),
        "square": np.where(np.arange(length) // 80 % 2, 32_767, -32_768),
        "random": random.integers(-32_768, 32_768, length),
        "bytes": np.frombuffer(random.bytes(2 * length), "<i2"),
    }[kind].astype(np.int16)
    tracemalloc.start()
    try:
        cuts = segment(samples, network, SegmentRules(), step=1600)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert {cut.kind for cut in cuts} == {"silence"}
    assert len(cuts) == 6
    assert peak_bytes < 2_000_000
