"""Recordings in files: WAV, FLAC, OGG, MP3 or WebM, decoded piece by piece to the one audio format.

The format is told from the first bytes and given to the decoder by name. Left to guess, it would also take playlists,
and those open other files and addresses.
"""

import math
from collections.abc import Iterator
from typing import BinaryIO

import av
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from undertone.errors import Refusal

FORMATS = "WAV, FLAC, OGG, MP3 and WebM"

# A few bad packets are a scratch (MP3 files often begin with one); more are not a recording.
_BAD_PACKETS = 10
_PLACEHOLDER_BYTES = 0xFFFF0000
# Resampling and encoder delay make lengths differ a little from what the header says.
_SLACK_SAMPLES = SAMPLE_RATE
# Below it there is no speech, and a file of a hundred bytes could state samples of a second each: gigabytes at 16 kHz.
_LEAST_RATE = 4000


def decode(file: BinaryIO, block_samples: int) -> Iterator[bytes]:
    """PCM of the first audio stream in blocks of ``block_samples``, the last one shorter, never empty.

    ``file`` is seekable and read from its beginning. Raises ``Refusal`` (``file_empty``, ``not_audio``,
    ``no_audio_stream``, ``sample_rate_unsupported``, ``file_damaged``, ``file_truncated``), the last two perhaps after
    some blocks.
    """
    kind = _kind_of(file)
    stated_bytes = _stated_wav_bytes(file) if kind == "wav" else None
    block_bytes = block_samples * BYTES_PER_SAMPLE
    waiting, decoded = bytearray(), 0
    with _open(file, kind) as container:
        stated_samples = _stated_samples(container, kind)
        for pcm in _decode_stream(container):
            waiting += pcm
            decoded += len(pcm) // BYTES_PER_SAMPLE
            while len(waiting) >= block_bytes:
                yield bytes(waiting[:block_bytes])
                del waiting[:block_bytes]
    if waiting:
        yield bytes(waiting)
    if not decoded:
        raise Refusal("file_empty", "the file holds no audio: record again", status=422)
    is_short = stated_samples is not None and decoded < stated_samples - max(_SLACK_SAMPLES, stated_samples // 50)
    if is_short or (stated_bytes is not None and _size_of(file) < stated_bytes):
        raise Refusal(
            "file_truncated",
            f"the file ends after {decoded / SAMPLE_RATE:.1f} s, before the length that its header states: "
            "copy it again, or cut it with an audio editor",
            status=422,
        )


def _kind_of(file: BinaryIO) -> str:
    file.seek(0)
    head = file.read(12)
    file.seek(0)
    if not head:
        raise Refusal("file_empty", "the file is empty", status=422)
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return "wav"
    kinds = {b"fLaC": "flac", b"OggS": "ogg", b"\x1aE\xdf\xa3": "matroska"}
    if kind := kinds.get(head[:4]):
        return kind
    if head[:3] == b"ID3" or (head[0] == 0xFF and len(head) > 1 and head[1] & 0xE0 == 0xE0):
        return "mp3"
    raise _not_audio()


def _not_audio() -> Refusal:
    return Refusal("not_audio", f"the file is not audio that is taken here: {FORMATS} are", status=415)


def _open(file: BinaryIO, kind: str) -> InputContainer:
    try:
        return av.open(file, mode="r", format=kind, metadata_errors="ignore")
    except (av.FFmpegError, ValueError, OSError) as error:
        raise _not_audio() from error


def _decode_stream(container: InputContainer) -> Iterator[bytes]:
    if not container.streams.audio:
        raise Refusal("no_audio_stream", "the file holds no sound, only other streams", status=422)
    resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    bad_packets = 0
    packets = container.demux(container.streams.audio[0])
    while True:
        try:
            packet = next(packets, None)
            frames = packet.decode() if packet is not None else []
            resampled = [part for frame in frames for part in resampler.resample(_check_rate(frame))]
            if packet is None:
                resampled = resampler.resample(None)
        except (av.FFmpegError, ValueError) as error:
            bad_packets += 1
            if bad_packets > _BAD_PACKETS:
                raise Refusal("file_damaged", f"the file cannot be decoded: {error}", status=422) from error
            continue
        for frame in resampled:
            yield bytes(frame.planes[0])[: frame.samples * BYTES_PER_SAMPLE]
        if packet is None:
            return


def _check_rate(frame: av.AudioFrame) -> av.AudioFrame:
    if frame.sample_rate < _LEAST_RATE:
        raise Refusal(
            "sample_rate_unsupported",
            f"the file has {frame.sample_rate} samples a second, and speech needs {_LEAST_RATE}: record again",
            status=415,
        )
    return frame


def _stated_samples(container: InputContainer, kind: str) -> int | None:
    if kind not in {"flac", "matroska"} or container.duration is None:
        return None
    return math.floor(container.duration * SAMPLE_RATE / av.time_base)


def _stated_wav_bytes(file: BinaryIO) -> int | None:
    file.seek(4)
    size = int.from_bytes(file.read(4), "little")
    file.seek(0)
    return size + 8 if 0 < size < _PLACEHOLDER_BYTES else None


def _size_of(file: BinaryIO) -> int:
    return file.seek(0, 2)
