"""Where the recordings in a file begin: leading zeros and tags, joined files, chained streams."""

import io
from pathlib import Path

import numpy as np
import pytest

from tests.bombs import make_wav
from tests.containers import Track, make_container, tone
from tests.recordings import CODECS, make_recording
from undertone.errors import Refusal
from undertone.recording.decoder import Decoding, decode
from undertone.recording.formats import MOST_PARTS, find_parts
from undertone.recording.limits import decode_limits

DATA = Path(__file__).parents[1] / "data" / "recordings"
ID3 = b"ID3\4\0\0\0\0\7\x68" + bytes(1000)
CUT_FRAME = bytes(range(7, 207))
"""The rest of a frame, as where a stream was joined."""


def decoded(data: bytes) -> np.ndarray:
    return np.frombuffer(b"".join(decode(io.BytesIO(data), decode_limits())), "<i2")


def test_zeros_before_an_mp3_are_skipped() -> None:
    data = (DATA / "12-zeros.mp3").read_bytes()
    assert data[:417] == bytes(417)
    assert len(decoded(data)) == pytest.approx(9 * 16_000, abs=1600)


@pytest.mark.parametrize("kind", CODECS)
@pytest.mark.parametrize("before", [bytes(1), bytes(417), bytes(200_000), ID3, ID3 + ID3, ID3 + bytes(512)])
def test_zeros_and_tags_before_any_format_are_skipped(kind: str, before: bytes) -> None:
    data = make_recording(kind, 1)
    assert np.array_equal(decoded(before + data), decoded(data))


@pytest.mark.parametrize("before", [CUT_FRAME, b"\0\0" + CUT_FRAME, b"\xff\xfb" + CUT_FRAME])
def test_an_mp3_may_begin_inside_a_frame(before: bytes) -> None:
    data = make_recording("mp3", 2)
    assert len(decoded(before + data)) == pytest.approx(len(decoded(data)), abs=2000)


@pytest.mark.parametrize("data", [bytes(1000), bytes(1000) + b"a letter", ID3, ID3 + b"a letter", b"\xff" * 1000])
def test_zeros_and_tags_alone_are_no_audio(data: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        decoded(data)
    assert caught.value.code in {"not_audio", "file_empty"}


def mp3(rate: int, channels: int, hertz: float) -> bytes:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate, layout="mono" if channels == 1 else "stereo")
        wave = (np.sin(np.arange(2 * rate) * 2 * np.pi * hertz / rate) * 16_000).astype("<i2")
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, channels).reshape(1, -1), "s16", stream.layout.name)
        frame.sample_rate = rate
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return file.getvalue()


def flac(rate: int, hertz: float) -> bytes:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=rate, layout="mono")
        wave = (np.sin(np.arange(2 * rate) * 2 * np.pi * hertz / rate) * 16_000).astype("<i2")
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), "s16", "mono")
        frame.sample_rate = rate
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return file.getvalue()


def wav(rate: int, channels: int, hertz: float) -> bytes:
    wave = (np.sin(np.arange(2 * rate) * 2 * np.pi * hertz / rate) * 16_000).astype("<i2")
    return make_wav(rate, channels, np.repeat(wave, channels).tobytes())


def ogg(codec: str, hertz: float) -> bytes:
    return make_container("ogg", [Track(tone(2, hertz=hertz), codec=codec)])


def webm(hertz: float, *, live: bool = False) -> bytes:
    return make_container("webm", [Track(tone(2, hertz=hertz))], live=live)


STEREO = np.repeat(tone(2, hertz=900), 2).reshape(-1, 2)
JOINED = {
    "mp3, another rate": mp3(44_100, 1, 500) + mp3(16_000, 1, 900),
    "mp3, another number of channels": mp3(44_100, 1, 500) + mp3(44_100, 2, 900),
    "mp3, rate and channels": mp3(48_000, 2, 500) + mp3(22_050, 1, 900),
    "flac": flac(16_000, 500) + flac(16_000, 900),
    "wav": wav(44_100, 2, 500) + wav(8000, 1, 900),
    "wav with a chunk behind": make_wav(16_000, 1, wav(16_000, 1, 500)[44:] + b"\0" * 2) + wav(16_000, 1, 900),
    "ogg of one codec": ogg("libopus", 500) + ogg("libopus", 900),
    "ogg, another number of channels": ogg("libopus", 500) + make_container("ogg", [Track(STEREO)]),
    "ogg of two codecs": ogg("flac", 500) + ogg("libopus", 900),
    "webm": webm(500) + webm(900),
    "webm, live": webm(500, live=True) + webm(900, live=True),
    "wav and flac": wav(16_000, 1, 500) + flac(16_000, 900),
}


def pitch(samples: np.ndarray) -> int:
    return int(np.argmax(np.abs(np.fft.rfft(samples[:16_000]))))


@pytest.mark.parametrize("name", JOINED)
def test_joined_recordings_are_taken_one_after_the_other(name: str) -> None:
    decoding = Decoding(io.BytesIO(JOINED[name]), decode_limits())
    samples = np.frombuffer(b"".join(decoding.pieces()), "<i2")
    assert len(samples) == pytest.approx(64_000, abs=3200)
    assert pitch(samples[4800:]) == pytest.approx(500, abs=2)
    assert pitch(samples[-24_000:]) == pytest.approx(900, abs=2)
    assert decoding.report.notes == ()


def test_what_follows_a_recording_need_not_be_one() -> None:
    data = wav(16_000, 1, 500)
    for behind in (b"TAG" + bytes(125), b"RIFF\x24\0\0\0WAVEfmt ", b"OggS" + bytes(100), b"\x1aE\xdf\xa3"):
        assert len(decoded(data + behind)) == 32_000


def test_a_file_of_very_many_parts_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        find_parts(io.BytesIO(make_wav(16_000, 1, b"\1\0") * (MOST_PARTS + 1)))
    assert caught.value.code == "file_too_complex"
