"""Decodes one of the recordings in a file with PyAV: one track, at the times that its stamps say."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from undertone.audio import SAMPLE_RATE
from undertone.errors import Refusal
from undertone.recording.formats import Part, not_audio
from undertone.recording.limits import CHANNELS, MAX_RATE, MIN_RATE
from undertone.recording.mono import MonoConverter
from undertone.recording.report import Note
from undertone.recording.stated import read_lengths
from undertone.recording.timeline import Timeline
from undertone.recording.tracks import choose_track
from undertone.recording.window import Window

# A few bad packets are a scratch (MP3 files often begin with one); more are not a recording.
_BAD_PACKETS = 10
# The stamps of the other formats are counted from their samples, and wrong where their rate changes.
_STAMPED = frozenset({"matroska", "ogg"})


class PartDecoder:
    """One decode of a part. ``notes`` and ``is_truncated`` are right when its pieces have ended."""

    def __init__(self, file: BinaryIO, part: Part) -> None:
        self._file = file
        self._part = part
        self.notes = list[Note]()
        self.is_truncated = False

    def pieces(self) -> Iterator[bytes | int]:
        """PCM, never empty; and the sample, counted from the part's beginning, up to which there is silence.

        Raises ``Refusal`` as ``Decoding.pieces``, and ``MemoryError``.
        """
        with self._open() as container:
            lengths = read_lengths(self._file, self._part, container)
        with self._open() as container:
            index, note = choose_track(container)
            self.notes += [note] if note else []
        with self._open() as container:
            frames = _Frames(container, index, every_stream=self._part.kind == "matroska")
            yield from self._place(frames, Fraction(container.start_time or 0, av.time_base))
        self.is_truncated = lengths.is_truncated(float(frames.end_s))

    def _place(self, frames: "_Frames", begins_s: Fraction) -> Iterator[bytes | int]:
        timeline, converter = Timeline(), MonoConverter()
        for frame in frames:
            stamp = None
            if self._part.kind in _STAMPED and frame.pts is not None and frame.time_base is not None:
                stamp = frame.pts * frame.time_base - begins_s
            hole_s = timeline.place(stamp, Fraction(frame.samples, frame.sample_rate))
            if hole_s is not None:
                yield from converter.end()
                yield round(hole_s * SAMPLE_RATE)
            try:
                yield from converter.convert(frame)
            except MemoryError:
                raise
            except (av.FFmpegError, ValueError) as error:  # no filter for such frames
                raise _damaged(error) from error
        yield from converter.end()

    def _open(self) -> InputContainer:
        window = Window(self._file, self._part.start, self._part.end)
        try:
            container = av.open(window, mode="r", format=self._part.kind, metadata_errors="ignore")
        except MemoryError:
            raise
        except (av.FFmpegError, ValueError, OSError) as error:
            raise not_audio() from error
        streams = container.streams.audio
        if streams and any(stream.codec_context for stream in streams):
            return container
        container.close()
        if not streams:
            raise Refusal("no_audio_stream", "the file holds no sound, only other streams", status=422)
        raise not_audio()  # of a codec that nobody knows, as in a damaged header


class _Frames:
    """The frames of one stream, checked. ``end_s`` is where the streams that are read have come to."""

    def __init__(self, container: InputContainer, index: int, *, every_stream: bool) -> None:
        stream = container.streams[index]
        assert isinstance(stream, AudioStream)
        stream.codec_context.thread_count = 1  # threads would need memory by the number of cores
        self._index = index
        self._packets: Iterator[av.Packet[Any]] = container.demux() if every_stream else container.demux(stream)
        self._counts_packets = every_stream
        self._bad_packets = 0
        self.end_s = Fraction(0)

    def __iter__(self) -> Iterator[av.AudioFrame]:
        while (packet := self._next_packet()) is not None:
            if self._counts_packets and packet.pts is not None and packet.time_base is not None:
                self.end_s = max(self.end_s, (packet.pts + (packet.duration or 0)) * packet.time_base)
            if packet.stream.index == self._index:
                yield from self._decode(packet)

    def _next_packet(self) -> "av.Packet[Any] | None":
        try:
            return next(self._packets, None)
        except MemoryError:
            raise
        except (av.FFmpegError, ValueError) as error:
            self._count_bad(error)
            return None  # the demuxer has ended

    def _decode(self, packet: "av.Packet[AudioStream]") -> list[av.AudioFrame]:
        try:
            frames = [frame for frame in packet.decode() if frame.samples]
        except MemoryError:
            raise
        except (av.FFmpegError, ValueError) as error:
            self._count_bad(error)
            return []
        for frame in frames:
            _check_frame(frame)
            if not self._counts_packets:
                self.end_s += Fraction(frame.samples, frame.sample_rate)
        return frames

    def _count_bad(self, error: Exception) -> None:
        self._bad_packets += 1
        if self._bad_packets > _BAD_PACKETS:
            raise _damaged(error) from error


def _damaged(error: Exception) -> Refusal:
    return Refusal("file_damaged", f"the file cannot be decoded: {error}", status=422)


def _check_frame(frame: av.AudioFrame) -> None:
    """Raises ``Refusal`` for a frame that cannot be resampled in bounded memory."""
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
