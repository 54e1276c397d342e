"""Recordings decoded to the one audio format, and files that are none."""

import io
import struct

import numpy as np
import pytest

from tests.bombs import make_flac, make_wav
from tests.recordings import CODECS, make_recording
from undertone.errors import Refusal
from undertone.recording.decoder import decode
from undertone.recording.limits import MAX_RATE, decode_limits
from undertone.recording.silence import blocks_of

BLOCK = 1600


def decoded(data: bytes) -> np.ndarray:
    return np.frombuffer(b"".join(decode(io.BytesIO(data), decode_limits())), "<i2")


def refused(data: bytes) -> str:
    with pytest.raises(Refusal) as caught:
        decoded(data)
    return caught.value.code


def wav_without_sound() -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    return b"RIFF" + struct.pack("<I", 36) + b"WAVE" + form + b"data" + bytes(4)


@pytest.mark.parametrize("kind", CODECS)
def test_each_format_becomes_16_khz_mono(kind: str) -> None:
    samples = decoded(make_recording(kind, 3.05))
    assert abs(len(samples) - 3.05 * 16_000) < 1600
    spectrum = np.abs(np.fft.rfft(samples[8000:24_000]))
    assert int(np.argmax(spectrum)) == 440
    assert 8000 < int(np.max(samples[8000:24_000])) < 20_000


def test_blocks_are_even_but_for_the_last() -> None:
    blocks = list(blocks_of(decode(io.BytesIO(make_recording("wav", 1.03, "mono")), decode_limits()), BLOCK))
    assert {len(block) for block in blocks[:-1]} == {BLOCK * 2}
    assert 0 < len(blocks[-1]) < BLOCK * 2


def test_a_wav_of_unknown_length_is_taken() -> None:
    """Programs that write WAV into a pipe cannot know its length, and leave a placeholder."""
    data = bytearray(make_recording("wav", 2, "mono"))
    data[4:8] = b"\xff\xff\xff\xff"
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    assert abs(len(decoded(bytes(data))) - 32_000) < 100


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (b"x", "not_audio"),
        (b"hello, I am a letter and not a recording" * 100, "not_audio"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "not_audio"),
        (b"RIFF" + struct.pack("<I", 100) + b"WAVEjunkjunk", "not_audio"),
        (b"ID3\x04" + b"no music here" * 1000, "not_audio"),
        (b"OggS" + bytes(2000), "not_audio"),
        (wav_without_sound(), "file_empty"),
    ],
)
def test_what_is_no_recording_is_told_so(data: bytes, code: str) -> None:
    assert refused(data) == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (make_wav(199_999_991, 1, bytes(20_000)), "sample_rate_unsupported"),
        (make_wav(MAX_RATE + 1, 1, bytes(20_000)), "sample_rate_unsupported"),
        (make_wav(3999, 1, bytes(20_000)), "sample_rate_unsupported"),
        (make_wav(16_000, 9, bytes(2 * 9 * 1600)), "channels_unsupported"),
        (make_wav(16_000, 200, bytes(2 * 200 * 1600)), "channels_unsupported"),
        (make_flac(16_000, 300), "file_expands_too_much"),
    ],
    ids=["200 MHz", "too high", "too low", "9 channels", "200 channels", "silence of hours"],
)
def test_what_would_take_more_than_its_share_is_refused(data: bytes, code: str) -> None:
    assert refused(data) == code


@pytest.mark.parametrize(("rate", "channels"), [(4000, 1), (MAX_RATE, 2), (192_000, 8), (48_000, 24)])
def test_what_studios_and_telephones_make_is_taken(rate: int, channels: int) -> None:
    assert abs(len(decoded(make_wav(rate, channels, bytes(2 * channels * rate)))) - 16_000) < 100


def test_a_file_is_as_long_as_a_session_may_be_and_no_longer() -> None:
    data = make_wav(16_000, 1, bytes(2 * 48_000))
    assert sum(map(len, decode(io.BytesIO(data), decode_limits(48_000)))) == 96_000
    with pytest.raises(Refusal) as caught:
        list(decode(io.BytesIO(data), decode_limits(47_999)))
    assert caught.value.code == "file_too_long"


def test_an_hour_of_silence_from_an_ordinary_encoder_is_taken() -> None:
    flac = make_flac(16_000, 3600 * 16_000 // 8192, block=8192)
    assert len(decoded(flac)) > 3599 * 16_000


def test_a_film_without_sound_has_no_audio_stream() -> None:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), format="yuv420p")
        container.mux([*stream.encode(frame), *stream.encode(None)])
    assert refused(file.getvalue()) == "no_audio_stream"


def test_noise_behind_a_good_header_is_damaged() -> None:
    data = bytearray(make_recording("mp3", 6))
    noise = np.random.default_rng(1).integers(0, 256, len(data) - 2000, dtype=np.uint8).tobytes()
    data[2000:] = noise
    assert refused(bytes(data)) in {"file_damaged", "not_audio"}
