"""Standard output of the command line: a reader that is gone, a full disk, letters that its encoding lacks.

The rule: when the reader is gone (`| head`), the command ends at once and in silence with status 141, as a program does
that SIGPIPE ends. When nothing can be written for another reason, it says so in one line and exits with 1. A letter
that the encoding of the terminal lacks is written as an escape, such as ``\\uc548``.
"""

import io
import os
import sys
from typing import TextIO

from undertone.errors import UndertoneError

READER_GONE = 141
"""128 and the number of SIGPIPE: what shells report of a program that writes to a closed pipe."""


class _Output(io.FileIO):
    """A file that ends the program when it cannot be written. What is still buffered then goes nowhere."""

    def write(self, data: object) -> int:
        """Raises ``SystemExit`` when the reader is gone, else ``UndertoneError``."""
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError as error:
            self._discard()
            raise SystemExit(READER_GONE) from error
        except OSError as error:
            self._discard()
            raise UndertoneError(f"standard output cannot be written: {error.strerror}") from error

    def _discard(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def guarded(stream: TextIO) -> TextIO:
    """Standard output as it was, with a text layer and a file of ours. ``stream`` is empty, and is used no more."""
    file = io.BufferedWriter(_Output(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(
        file,
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.isatty(),
        write_through=bool(os.environ.get("PYTHONUNBUFFERED")),
    )


def guard_output() -> None:
    """Put this in the place of ``sys.stdout``. A standard output that is closed stays so."""
    if sys.stdout is not None:
        sys.stdout = guarded(sys.stdout)
