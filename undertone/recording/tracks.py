"""Chooses the sound track of a container that holds several.

The default one is taken, else the first; but a track in which something sounds comes before one that is silent, since
recorders of screens write a track for each source, muted ones too.
"""

from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from undertone.recording.report import FULL_SCALE, Note

# Further tracks are not looked at: each has a decoder of its own.
MOST_TRACKS = 8
# 60 dB below full scale. An input that is open and unused is quieter.
LEAST_SOUND = FULL_SCALE // 1000


@dataclass(slots=True)
class _Candidate:
    stream: AudioStream
    number: int
    peak: int = 0

    def hear(self, packet: "av.Packet[Any]") -> None:
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except (av.FFmpegError, ValueError):  # what is wrong with a track is told when it is taken
            return
        for frame in frames:
            if isinstance(frame, av.AudioFrame) and frame.samples:
                self.peak = max(self.peak, _peak(frame.to_ndarray()))


def choose_track(container: InputContainer) -> tuple[int, Note | None]:
    """The index of the stream to take, and a note if there are several. Packets of the container are used up.

    The container has a sound track of a known codec.
    """
    streams = list(container.streams.audio)
    tracks = [_Candidate(stream, number) for number, stream in enumerate(streams, 1) if stream.codec_context]
    if len(streams) == 1:
        return streams[0].index, None
    tracks.sort(key=lambda track: not track.stream.disposition & Disposition.default)
    chosen = _first_that_sounds(container, tracks[:MOST_TRACKS])
    return chosen.stream.index, Note(
        "one_of_several_tracks",
        f"the file has {len(streams)} sound tracks, and number {chosen.number} is taken: "
        "export another one as a file of its own",
    )


def _first_that_sounds(container: InputContainer, tracks: list[_Candidate]) -> _Candidate:
    by_index = {track.stream.index: track for track in tracks}
    for track in tracks:
        track.stream.codec_context.thread_count = 1
    for packet in container.demux([track.stream for track in tracks]):
        by_index[packet.stream.index].hear(packet)
        if tracks[0].peak >= LEAST_SOUND:
            return tracks[0]
    return next((track for track in tracks if track.peak >= LEAST_SOUND), max(tracks, key=lambda track: track.peak))


def _peak(samples: np.ndarray) -> int:
    """The largest absolute sample, as of 16 bits."""
    if samples.dtype.kind == "f":
        scale, middle = 1.0, 0.0
    else:
        scale = float(2 ** (8 * samples.dtype.itemsize - 1))
        middle = scale if samples.dtype.kind == "u" else 0.0
    largest = np.max(np.abs(samples.astype(np.float32) - middle)) / scale
    return int(min(np.nan_to_num(largest), 1.0) * FULL_SCALE)
