"""The decoder process: ``python -m undertone.recording.worker JOB`` with the file as its standard input.

It decodes the file and writes ``messages`` to its standard output: PCM in blocks, or only how far it has come. It lets
go of everything that it does not need and bounds itself before it looks at the first byte of the file: memory, time,
open files; it can write no file. When nobody reads any more it ends with the next message.
"""

import json
import os
import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from undertone.errors import Refusal
from undertone.recording.limits import DecodeLimits
from undertone.recording.messages import Failed, Message, Progress, encode
from undertone.recording.silence import in_blocks, skip_silence

NICENESS = 10
OPEN_FILES = 32
PROGRESS_EVERY_SAMPLES = 60 * SAMPLE_RATE
OUT = 1
"""The descriptor that is written to."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to do with the file. ``block_samples`` 0 sends no audio, only how far it is decoded and the end."""

    limits: DecodeLimits
    block_samples: int = 0
    skips_silence: bool = False

    def to_json(self) -> str:
        """The job as an argument of the process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """The job in an argument."""
        given = json.loads(text)
        return cls(DecodeLimits(**given.pop("limits")), **given)


def bound_process(limits: DecodeLimits) -> None:
    """Set the limits of this process that the kernel keeps, as far as the system has them (macOS: no memory)."""
    os.nice(NICENESS)
    wanted = {
        resource.RLIMIT_CPU: limits.cpu_s,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: OPEN_FILES,
    }
    if (used := _address_space_bytes()) is not None:
        wanted[resource.RLIMIT_AS] = used + limits.memory_bytes
    for which, most in wanted.items():
        with suppress(ValueError, OSError):  # a lower limit was there before
            resource.setrlimit(which, (most, most))


def run_job(file: BinaryIO, job: Job, say: Callable[[Message], None]) -> None:
    """Decode the file and say what comes of it; the last message is a ``Report`` or a ``Refusal``."""
    from undertone.recording.decoder import Decoding

    decoding = Decoding(file, job.limits)
    counted = _Counted(decoding.pieces(), say if job.block_samples == 0 else None)
    try:
        if job.block_samples:
            parts = skip_silence(counted) if job.skips_silence else counted
            for part in in_blocks(parts, job.block_samples):
                say(part)
        else:
            for _ in counted:
                pass
    except Refusal as refusal:
        say(refusal)
    except MemoryError:
        say(_too_complex(job.limits))
    else:
        say(decoding.report)


class _Counted:
    """Counts the samples that pass and reports them now and then, so that a reader that is gone is noticed."""

    def __init__(self, pieces: Iterable[bytes], say: Callable[[Message], None] | None) -> None:
        self.samples = 0
        self._pieces = pieces
        self._say = say

    def __iter__(self) -> Iterator[bytes]:
        due = PROGRESS_EVERY_SAMPLES
        for piece in self._pieces:
            self.samples += len(piece) // BYTES_PER_SAMPLE
            if self._say is not None and self.samples >= due:
                self._say(Progress(self.samples))
                due = self.samples + PROGRESS_EVERY_SAMPLES
            yield piece


def _too_complex(limits: DecodeLimits) -> Refusal:
    return Refusal(
        "file_too_complex",
        f"decoding the file needs more than {limits.memory_bytes // 1_000_000} MB of memory: "
        "convert it to WAV or FLAC, without pictures and attachments",
        status=422,
    )


def main() -> None:
    """Run the job of the command line."""
    try:
        job = Job.from_json(sys.argv[1])
        import undertone.recording.decoder  # noqa: F401 - loads PyAV, which counts as idle

        bound_process(job.limits)
        with os.fdopen(0, "rb") as file:
            run_job(file, job, _say)
    except BrokenPipeError:
        os._exit(1)
    except Exception as error:  # noqa: BLE001 - the other end decides what it is
        _say(Failed(repr(error)))


def _say(message: Message) -> None:
    data = memoryview(encode(message))
    while data:
        data = data[os.write(OUT, data) :]


def _address_space_bytes() -> int | None:
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        return pages * resource.getpagesize()
    return None


if __name__ == "__main__":
    main()
