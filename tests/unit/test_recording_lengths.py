"""A header that is off by a little, a picture that outlasts the sound, and files that are truncated for real."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.bombs import make_wav
from tests.containers import Track, make_container, silence, tone
from tests.recordings import make_recording
from undertone.recording.decoder import Decoding
from undertone.recording.limits import decode_limits
from undertone.recording.report import Report

DATA = Path(__file__).parents[1] / "data" / "recordings"


def report_of(data: bytes) -> Report:
    decoding = Decoding(io.BytesIO(data), decode_limits())
    length = sum(len(piece) // 2 for piece in decoding.pieces())
    assert length == decoding.report.samples
    return decoding.report


def codes(report: Report) -> list[str]:
    return [note.code for note in report.notes]


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("riff-8-too-long.wav", 3.33),
        ("data-16-too-long.wav", 3.33),
        ("picture-a-second-longer.mkv", 8.98),
        ("picture-longer-than-sound.webm", 8.98),
    ],
)
def test_a_whole_file_is_taken_without_a_word(name: str, seconds: float) -> None:
    report = report_of((DATA / name).read_bytes())
    assert report.samples / 16_000 == pytest.approx(seconds, abs=0.05)
    assert report.notes == ()


def rf64(data: bytes, stated_bytes: int) -> bytes:
    """A WAV with lengths of 64 bits."""
    wav = make_wav(16_000, 1, data)
    lengths = b"ds64" + struct.pack("<IQQQI", 28, stated_bytes + 72, stated_bytes, len(data) // 2, 0)
    at = wav.index(b"data")
    return b"RF64\xff\xff\xff\xffWAVE" + lengths + wav[12:at] + b"data\xff\xff\xff\xff" + data


PCM = (np.arange(32_000) % 100).astype("<i2").tobytes()
SLOPPY = {
    "data is 44 bytes too long": make_wav(16_000, 1, PCM, stated_bytes=len(PCM) + 44),
    "data is half a block too long": make_wav(16_000, 1, PCM, stated_bytes=len(PCM) + 2048),
    "sox writes into a pipe": make_wav(16_000, 1, PCM, stated_bytes=0x7FFFF000),
    "arecord writes into a pipe": make_wav(16_000, 1, PCM, stated_bytes=0x80000000),
    "a writer that was killed": make_wav(16_000, 1, PCM, stated_bytes=0),
    "RF64": rf64(PCM, len(PCM) + 72),
    "another chunk behind the sound": make_wav(16_000, 1, PCM) + b"LIST\4\0\0\0INFO",
    "a webm with 100 bytes missing": make_container("webm", [Track(tone(2))])[:-100],
    "a picture of a minute": make_container("webm", [Track(tone(2))], picture_s=60),
    "a picture of a minute, live": make_container("matroska", [Track(tone(2))], picture_s=60, live=True),
    "a second track that is longer": make_container("matroska", [Track(tone(2), is_default=True), Track(tone(6))]),
}


@pytest.mark.parametrize("name", SLOPPY)
def test_a_length_that_is_off_by_a_little_is_no_truncation(name: str) -> None:
    report = report_of(SLOPPY[name])
    assert report.samples == pytest.approx(32_000, abs=1600)
    assert "file_truncated" not in codes(report)


WHOLE = {
    **{kind: make_recording(kind, 6) for kind in ("wav", "flac", "ogg", "mp3", "webm")},
    "rf64": rf64(6 * PCM, 6 * len(PCM)),
    "webm with a picture": make_container("webm", [Track(tone(6))], picture_s=6),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_truncated_file_is_taken_up_to_its_end_and_reported(name: str) -> None:
    whole = report_of(WHOLE[name])
    cut = report_of(WHOLE[name][: len(WHOLE[name]) // 2])
    assert codes(whole) == []
    assert codes(cut) == ["file_truncated"]
    assert f"{cut.samples / 16_000:.1f} s" in cut.notes[0].message
    assert 0.3 * whole.samples < cut.samples < 0.6 * whole.samples


def test_the_level_is_that_of_the_loudest_sample() -> None:
    assert report_of(make_container("matroska", [Track(silence(1), codec="flac")])).level == "peak -inf dBFS"
    assert report_of(make_wav(16_000, 1, struct.pack("<h", -32_768) * 16_000)).level == "peak 0.0 dBFS"
    assert report_of(make_wav(16_000, 1, struct.pack("<h", 328) * 16_000)).level == "peak -40.0 dBFS"
