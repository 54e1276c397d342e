"""Voice activity by frames: a function of state and frame, sharp on real speech."""

import numpy as np
import pytest

from models.speech.voice_activity import FRAME_SAMPLES, Samples, VadState, VoiceActivity, load_voice_activity
from tests.clips import read_clip


def samples_of(clip: str) -> Samples:
    return np.frombuffer(read_clip(clip), "<i2").astype(np.float32) / np.float32(32768)


def frames_of(samples: Samples) -> Samples:
    return samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)


def probabilities(activity: VoiceActivity, samples: Samples) -> list[float]:
    return activity.step(activity.start(), frames_of(samples))[0]


def test_speech_is_told_from_noise_and_silence() -> None:
    activity = load_voice_activity()
    assert np.mean(np.array(probabilities(activity, samples_of("jfk.flac"))) > 0.5) > 0.5
    assert max(probabilities(activity, samples_of("noise.flac"))) < 0.5
    assert max(probabilities(activity, np.zeros(160_000, np.float32))) < 0.1


def test_a_stream_may_be_left_and_taken_up_again_or_run_beside_another() -> None:
    activity = load_voice_activity()
    first, second = samples_of("jfk.flac"), samples_of("korean.flac")
    alone = probabilities(activity, first), probabilities(VoiceActivity(), second)
    states: list[VadState] = [activity.start(), activity.start()]
    beside: list[list[float]] = [[], []]
    for start in range(0, max(len(first), len(second)), FRAME_SAMPLES):
        for stream, samples in enumerate((first, second)):
            frame = frames_of(samples[start : start + FRAME_SAMPLES])
            if len(frame):
                heard, states[stream] = activity.step(states[stream], frame)
                beside[stream] += heard
    assert beside == list(alone)


def test_a_step_changes_neither_state_nor_frame() -> None:
    activity = load_voice_activity()
    frame = samples_of("jfk.flac")[np.newaxis, :FRAME_SAMPLES].copy()
    _, state = activity.step(activity.start(), frame)
    kept = state.hidden.copy(), state.cell.copy(), state.context.copy(), frame.copy()
    once = activity.step(state, frame)[0]
    assert activity.step(state, frame)[0] == once
    for before, after in zip(kept, (state.hidden, state.cell, state.context, frame), strict=True):
        np.testing.assert_array_equal(before, after)


def test_the_past_counts() -> None:
    activity = load_voice_activity()
    speech = samples_of("jfk.flac")[32_000:64_000]
    fresh = probabilities(activity, speech[-FRAME_SAMPLES:])
    assert fresh[-1] != probabilities(activity, speech[len(speech) % FRAME_SAMPLES :])[-1]


@pytest.mark.parametrize("at_once", [1, 2, 3, 7, 32])
def test_a_frame_is_judged_the_same_however_many_come_at_a_time(at_once: int) -> None:
    activity = load_voice_activity()
    frames = frames_of(samples_of("jfk.flac"))
    state, heard = activity.start(), []
    for start in range(0, len(frames), at_once):
        some, state = activity.step(state, frames[start : start + at_once])
        heard += some
    assert heard == activity.step(activity.start(), frames)[0]


@pytest.mark.parametrize(
    "frame", [np.zeros((1, 511), np.float32), np.zeros((1, 512), np.int16), np.zeros(512, np.float32)]
)
def test_other_frames_are_refused(frame: Samples) -> None:
    activity = load_voice_activity()
    with pytest.raises(ValueError, match="512 float32 samples"):
        activity.step(activity.start(), frame)


def test_one_network_serves_the_process() -> None:
    assert load_voice_activity() is load_voice_activity()
