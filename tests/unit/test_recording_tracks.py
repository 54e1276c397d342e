"""Which track of several is taken, and channels that cancel each other out."""

import io
from pathlib import Path

import numpy as np
import pytest

from tests.bombs import make_wav
from tests.containers import Track, make_container, silence, tone
from undertone.recording.decoder import Decoding
from undertone.recording.limits import decode_limits

DATA = Path(__file__).parents[1] / "data" / "recordings"
RATE = 16_000


def decoded(data: bytes) -> tuple[np.ndarray, Decoding]:
    decoding = Decoding(io.BytesIO(data), decode_limits())
    return np.frombuffer(b"".join(decoding.pieces()), "<i2").astype(float), decoding


def pitch(samples: np.ndarray) -> int:
    return int(np.argmax(np.abs(np.fft.rfft(samples[:RATE]))))


def test_the_default_track_with_speech_is_taken_and_said() -> None:
    samples, decoding = decoded((DATA / "15-two-tracks.mkv").read_bytes())
    assert np.abs(samples[: 3 * RATE]).max() > 10_000
    assert [note.code for note in decoding.report.notes] == ["one_of_several_tracks"]
    assert "2 sound tracks, and number 2 is taken" in decoding.report.notes[0].message


SILENT, LOW, HIGH = silence(2), tone(2, hertz=500), tone(2, hertz=900)
QUIET = tone(2, level=0.0003, hertz=700)
LATE = np.concatenate([silence(1.5), tone(0.5, hertz=700)])
TRACKS = {
    "the first where none is the default": ([Track(LOW), Track(HIGH)], 1),
    "the default": ([Track(LOW), Track(HIGH, is_default=True)], 2),
    "the first of two defaults": ([Track(LOW, is_default=True), Track(HIGH, is_default=True)], 1),
    "one with sound for a silent first": ([Track(SILENT), Track(HIGH)], 2),
    "one with sound for a silent default": ([Track(SILENT, is_default=True), Track(SILENT), Track(HIGH)], 3),
    "the default with sound at its end": ([Track(LOW), Track(LATE, is_default=True)], 2),
    "one with sound for an open input": ([Track(QUIET, is_default=True, codec="flac"), Track(HIGH, codec="flac")], 2),
    "the loudest where all are quiet": ([Track(SILENT, codec="flac"), Track(QUIET, codec="flac")], 2),
    "the default where all are silent": ([Track(SILENT), Track(SILENT, is_default=True)], 2),
}


@pytest.mark.parametrize("name", TRACKS)
def test_of_several_tracks_it_takes(name: str) -> None:
    tracks, expected = TRACKS[name]
    samples, decoding = decoded(make_container("matroska", tracks, picture_s=2))
    alone, _ = decoded(make_container("matroska", [tracks[expected - 1]]))
    assert f"{len(tracks)} sound tracks, and number {expected} is taken" in decoding.report.notes[0].message
    assert np.abs(samples[:30_000]).max() == pytest.approx(np.abs(alone[:30_000]).max(), abs=2)
    assert pitch(samples[RATE:]) == pitch(alone[RATE:])


def test_one_track_needs_no_word() -> None:
    _, decoding = decoded(make_container("matroska", [Track(LOW)], picture_s=2))
    assert decoding.report.notes == ()


def test_speech_in_opposite_phase_is_not_lost() -> None:
    samples, decoding = decoded((DATA / "opposite.flac").read_bytes())
    assert decoding.report.peak > 15_000
    assert np.abs(samples[: 2 * RATE]).mean() > 300


def wave(hertz: float, seconds: float = 2.0) -> np.ndarray:
    return np.sin(np.arange(round(seconds * RATE)) * 2 * np.pi * hertz / RATE) * 10_000


def wav(*channels: np.ndarray) -> bytes:
    return make_wav(RATE, len(channels), np.stack(channels, 1).astype("<i2").tobytes())


HUM = wave(50) / 30
CANCELLED = {
    "inverted": wav(wave(500), -wave(500)),
    "inverted and a tenth quieter": wav(wave(500), -0.9 * wave(500)),
    "inverted, with a common hum": wav(wave(500) + HUM, HUM - wave(500)),
    "four channels in two pairs": wav(wave(500), -wave(500), wave(500), -wave(500)),
    "inverted, from a lossy encoder": make_container(
        "ogg", [Track(np.stack([tone(2, hertz=500), -tone(2, hertz=500)], 1))]
    ),
}


@pytest.mark.parametrize("name", CANCELLED)
def test_channels_that_cancel_are_not_mixed(name: str) -> None:
    samples, decoding = decoded(CANCELLED[name])
    assert pitch(samples) == pytest.approx(500, abs=1)
    assert decoding.report.peak > 9000


def test_each_stretch_is_decided_for_itself() -> None:
    first, second = wave(500), wave(900)
    samples, _ = decoded(wav(np.concatenate([first, second]), np.concatenate([-first, second])))
    assert pitch(samples) == 500
    assert pitch(samples[2 * RATE :]) == 900
    assert np.abs(samples[2 * RATE + 4000 :]).max() == pytest.approx(10_000, rel=0.01)


@pytest.mark.parametrize(
    ("channels", "peak"),
    [
        ((wave(500), wave(500)), 10_000),
        ((wave(500), 0 * wave(500)), 5000),
        ((0 * wave(500), wave(500)), 5000),
        ((wave(500), wave(900)), 10_000),
    ],
    ids=["the same", "left only", "right only", "two people"],
)
def test_other_channels_are_mixed(channels: tuple[np.ndarray, ...], peak: int) -> None:
    samples, decoding = decoded(wav(*channels))
    mixed = sum(channels) / 2
    assert np.abs(samples - mixed).max() <= 2
    assert decoding.report.peak == pytest.approx(peak, rel=0.05)


def test_mixing_never_clips() -> None:
    loud = np.stack([tone(2, level=1.0), tone(2, level=1.0)], 1)
    _, decoding = decoded(make_container("matroska", [Track(loud)]))
    assert decoding.report.peak == pytest.approx(32_767, rel=0.05)
    samples, _ = decoded(make_container("matroska", [Track(loud)]))
    assert np.mean(np.abs(samples) > 32_700) < 0.05
