"""Voice activity by frames: a function of state and frame, sharp on real speech."""

import numpy as np
import pytest

from models.speech.voice_activity import FRAME_SAMPLES, Samples, VadState, VoiceActivity, load_voice_activity
from tests.clips import read_clip


def samples_of(clip: str) -> Samples:
    return np.frombuffer(read_clip(clip), "<i2").astype(np.float32) / np.float32(32768)


def probabilities(activity: VoiceActivity, samples: Samples) -> list[float]:
    state = activity.start()
    heard = []
    for start in range(0, len(samples) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        probability, state = activity.step(state, samples[start : start + FRAME_SAMPLES])
        heard.append(probability)
    return heard


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
    beside: tuple[list[float], list[float]] = ([], [])
    for start in range(0, max(len(first), len(second)), FRAME_SAMPLES):
        for stream, samples in enumerate((first, second)):
            frame = samples[start : start + FRAME_SAMPLES]
            if len(frame) == FRAME_SAMPLES:
                probability, states[stream] = activity.step(states[stream], frame)
                beside[stream].append(probability)
    assert beside == alone


def test_a_step_changes_neither_state_nor_frame() -> None:
    activity = load_voice_activity()
    frame = samples_of("jfk.flac")[:FRAME_SAMPLES].copy()
    _, state = activity.step(activity.start(), frame)
    kept = state.hidden.copy(), state.cell.copy(), state.context.copy(), frame.copy()
    once = activity.step(state, frame)[0]
    assert activity.step(state, frame)[0] == once
    for before, after in zip(kept, (state.hidden, state.cell, state.context, frame), strict=True):
        np.testing.assert_array_equal(before, after)


def test_the_past_counts() -> None:
    activity = load_voice_activity()
    speech = samples_of("jfk.flac")[32_000:64_000]
    fresh = activity.step(activity.start(), speech[-FRAME_SAMPLES:])[0]
    assert fresh != probabilities(activity, speech[len(speech) % FRAME_SAMPLES :])[-1]


@pytest.mark.parametrize("frame", [np.zeros(511, np.float32), np.zeros(512, np.int16), np.zeros((1, 512), np.float32)])
def test_other_frames_are_refused(frame: Samples) -> None:
    activity = load_voice_activity()
    with pytest.raises(ValueError, match="512 float32 samples"):
        activity.step(activity.start(), frame)


def test_one_network_serves_the_process() -> None:
    assert load_voice_activity() is load_voice_activity()
