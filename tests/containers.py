"""Containers made for tests: several tracks, holes, offsets and pictures, as recorders leave them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.stream import Disposition

RATE = 48_000
FRAME = 960


def tone(seconds: float, level: float = 0.5, hertz: float = 440) -> np.ndarray:
    """A tone as 16 bits, at ``RATE``."""
    return (np.sin(np.arange(round(seconds * RATE)) * 2 * np.pi * hertz / RATE) * level * 32_767).astype("<i2")


def silence(seconds: float) -> np.ndarray:
    """Digital silence, at ``RATE``."""
    return np.zeros(round(seconds * RATE), "<i2")


@dataclass(frozen=True)
class Track:
    """A sound track. From each of ``delays``, (sample time, by), in seconds, its stamps are so much later."""

    sound: np.ndarray
    delays: tuple[tuple[float, float], ...] = ()
    is_default: bool = False
    codec: str = "libopus"


def make_container(kind: str, tracks: Sequence[Track], *, picture_s: float | None = None, live: bool = False) -> bytes:
    """A file of ``kind`` (matroska, webm, ogg). ``sound`` of a track is mono, or has a column for each channel.

    ``picture_s`` adds a picture of that length. ``live`` is written as by a recorder that cannot seek: no duration.
    """
    file = io.BytesIO()
    packets = list[Any]()
    with av.open(file, "w", format=kind, options={"live": "1"} if live else {}) as container:
        streams = []
        for track in tracks:
            channels = 1 if track.sound.ndim == 1 else track.sound.shape[1]
            stream = container.add_stream(track.codec, rate=RATE, layout="mono" if channels == 1 else "stereo")
            assert isinstance(stream, AudioStream)
            stream.disposition = Disposition.default if track.is_default else Disposition(0)
            streams.append((stream, track))
        if picture_s is not None:
            packets += _picture(container, picture_s)
        for stream, track in streams:
            packets += _encode(stream, track)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return file.getvalue()


def _encode(stream: AudioStream, track: Track) -> list[Any]:
    sound = track.sound.reshape(len(track.sound), -1)
    packets = list[Any]()
    for at in range(0, len(sound), FRAME):
        part = np.ascontiguousarray(sound[at : at + FRAME]).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout=stream.layout.name)
        frame.sample_rate, frame.pts = RATE, at
        packets += stream.encode(frame)
    packets += stream.encode(None)
    for packet in packets:
        late_s = sum(by for start, by in track.delays if packet.pts * packet.time_base >= start)
        packet.pts += round(late_s / packet.time_base)
        packet.dts = packet.pts
    return packets


def _picture(container: Any, seconds: float) -> list[Any]:
    stream = container.add_stream("libvpx", rate=10)
    stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
    packets = []
    for index in range(round(seconds * 10)):
        frame = av.VideoFrame.from_ndarray(np.full((24, 16), index % 200, np.uint8), format="yuv420p")
        frame.pts = index
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]
