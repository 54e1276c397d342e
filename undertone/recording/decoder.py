"""Decodes WAV, FLAC, OGG, MP3 or WebM piece by piece, in the process that calls it, and says what is wrong with a file.

The format is told from the first bytes and given to PyAV by name. Left to guess, it would also take playlists, and
those open other files and addresses. Every verdict is a function of the bytes of the file and of ``DecodeLimits``.
"""

import math
from collections.abc import Iterator
from typing import BinaryIO

import av
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from undertone.errors import Refusal
from undertone.recording.limits import CHANNELS, MAX_RATE, MIN_RATE, DecodeLimits

FORMATS = "WAV, FLAC, OGG, MP3 and WebM"

# A few bad packets are a scratch (MP3 files often begin with one); more are not a recording.
_BAD_PACKETS = 10
_PLACEHOLDER_BYTES = 0xFFFF0000
# Resampling and encoder delay make lengths differ a little from what the header says.
_SLACK_SAMPLES = SAMPLE_RATE


def decode(file: BinaryIO, limits: DecodeLimits) -> Iterator[bytes]:
    """PCM of the first audio stream, in pieces as they come, never empty ones.

    ``file`` is seekable and read from its beginning. Raises ``Refusal``, perhaps after some pieces: ``file_empty``,
    ``not_audio``, ``no_audio_stream``, ``sample_rate_unsupported``, ``channels_unsupported``, ``file_damaged``,
    ``file_truncated``, ``file_too_long`` or ``file_expands_too_much``. ``MemoryError`` where more would be needed than
    this process may have.
    """
    kind = _kind_of(file)
    stated_bytes = _stated_wav_bytes(file) if kind == "wav" else None
    file_bytes = _size_of(file)
    decoded = 0
    with _open(file, kind) as container:
        stated_samples = _stated_samples(container, kind)
        for pcm in _decode_stream(container):
            decoded += len(pcm) // BYTES_PER_SAMPLE
            _check_length(decoded, file_bytes, limits)
            yield pcm
    if not decoded:
        raise Refusal("file_empty", "the file holds no audio: record again", status=422)
    is_short = stated_samples is not None and decoded < stated_samples - max(_SLACK_SAMPLES, stated_samples // 50)
    if is_short or (stated_bytes is not None and file_bytes < stated_bytes):
        raise Refusal(
            "file_truncated",
            f"the file ends after {decoded / SAMPLE_RATE:.1f} s, before the length that its header states: "
            "copy it again, or cut it with an audio editor",
            status=422,
        )


def _check_length(decoded: int, file_bytes: int, limits: DecodeLimits) -> None:
    if decoded > limits.max_samples:
        hours = limits.max_samples / SAMPLE_RATE / 3600
        raise Refusal("file_too_long", f"the file holds more than {hours:g} hours of audio: split it", status=413)
    if decoded > limits.most_samples(file_bytes):
        raise Refusal(
            "file_expands_too_much",
            f"the file of {file_bytes} bytes expands to more than {decoded // SAMPLE_RATE} s of audio, more than any "
            "recording does: export it again, as WAV or MP3",
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
    except MemoryError:
        raise
    except (av.FFmpegError, ValueError, OSError) as error:
        raise _not_audio() from error


def _decode_stream(container: InputContainer) -> Iterator[bytes]:
    if not container.streams.audio:
        raise Refusal("no_audio_stream", "the file holds no sound, only other streams", status=422)
    stream = container.streams.audio[0]
    if stream.codec_context is None:  # of a codec that nobody knows, as in a damaged header
        raise _not_audio()
    stream.codec_context.thread_count = 1  # threads would need memory by the number of cores
    resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    bad_packets = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            frames = packet.decode() if packet is not None else []
            resampled = [part for frame in frames for part in resampler.resample(_check_frame(frame))]
            if packet is None:
                resampled = resampler.resample(None)
        except MemoryError:
            raise
        except (av.FFmpegError, ValueError) as error:
            bad_packets += 1
            if bad_packets > _BAD_PACKETS:
                raise Refusal("file_damaged", f"the file cannot be decoded: {error}", status=422) from error
            continue
        for frame in resampled:
            yield bytes(frame.planes[0])[: frame.samples * BYTES_PER_SAMPLE]
        if packet is None:
            return


def _check_frame(frame: av.AudioFrame) -> av.AudioFrame:
    """The frame, if it can be resampled in bounded memory; a resampler is made from the first one."""
    rate, channels = frame.sample_rate, frame.layout.nb_channels
    if not MIN_RATE <= rate <= MAX_RATE:
        raise Refusal(
            "sample_rate_unsupported",
            f"the file has {rate} samples a second; {MIN_RATE} to {MAX_RATE} are taken: record again, or resample it",
            status=415,
        )
    if channels not in CHANNELS:
        raise Refusal(
            "channels_unsupported",
            f"the file has {channels} channels, which cannot be mixed to one: export it as mono or stereo",
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
    size = file.seek(0, 2)
    file.seek(0)
    return size
