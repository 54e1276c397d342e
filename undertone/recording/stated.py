"""Tells whether a recording ends before its end: by what its header states, or in the middle of its last page.

A length that is off by a little says nothing, and neither does a picture that goes on when the sound has ended.
"""

from dataclasses import dataclass
from typing import BinaryIO

import av
from av.container import InputContainer

from undertone.recording import mp3, ogg
from undertone.recording.formats import Part

# Writers count the bytes of a header, or whole blocks; encoders have a delay.
SLACK_S = 0.5
SLACK_SHARE = 0.02
SLACK_BYTES = 4096
_HEAD_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Lengths:
    """What is known of a part before it is decoded: by its bytes, and by a number of seconds (None: not stated)."""

    is_cut: bool
    stated_s: float | None

    def is_truncated(self, ends_at_s: float) -> bool:
        """Whether something is missing in a part of which all streams have ended at ``ends_at_s``."""
        if self.stated_s is None:
            return self.is_cut
        return self.is_cut or ends_at_s < self.stated_s - max(SLACK_S, SLACK_SHARE * self.stated_s)


def read_lengths(file: BinaryIO, part: Part, container: InputContainer) -> Lengths:
    """The lengths of a part, whose container has been opened."""
    if part.kind == "ogg":
        return Lengths(ogg.is_cut(file, part.start, part.end), None)
    is_cut = part.stated_end is not None and part.end < part.stated_end - SLACK_BYTES
    return Lengths(is_cut, _stated_seconds(file, part, container))


def _stated_seconds(file: BinaryIO, part: Part, container: InputContainer) -> float | None:
    if part.kind == "mp3":
        file.seek(part.start)
        return mp3.stated_seconds(file.read(_HEAD_BYTES))
    if part.kind == "wav" or container.duration is None:
        return None
    return container.duration / av.time_base
