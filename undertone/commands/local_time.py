"""Times on the command line: read and shown in the local time zone, whose name stands behind each that is shown."""

from datetime import datetime

from undertone.errors import UndertoneError
from undertone.times import read_time


def utc_bound(option: str, given: str | None) -> str | None:
    """A day or time of an option for a query, with its zone: the local one unless it says another.

    Raises ``UndertoneError``.
    """
    if given is None:
        return None
    try:
        return read_time(given).astimezone().isoformat()
    except (ValueError, OverflowError) as error:
        raise UndertoneError(f"{option}: {error}") from error


def show_time(time: str | datetime) -> str:
    """A time with its zone, to the minute."""
    known = datetime.fromisoformat(time) if isinstance(time, str) else time
    return f"{known.astimezone():%Y-%m-%d %H:%M %Z}"
