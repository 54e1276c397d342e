"""Reads times as people and programs write them: ISO 8601, and never a bare number. Pure.

Parsers that take seconds since 1970 as well read a year, or a day without hyphens, as some minute of that year.
"""

import re
from datetime import datetime

FORMS = "a day as in 2026-01-31, or a time as in 2026-01-31T09:00+09:00"
# In a query `+` stands for a space: `09:00+09:00` arrives as `09:00 09:00`.
_LOST_PLUS = re.compile(r"(.{8,10}[Tt ]\d\d(?::?\d\d){1,2}(?:[.,]\d+)?) (\d\d(?::?\d\d)?)")


def read_time(text: str) -> datetime:
    """The time that the text says, without a zone if it says none; a day is its first moment.

    Raises ``ValueError`` with what to write instead.
    """
    given = text.strip()
    if lost := _LOST_PLUS.fullmatch(given):
        given = f"{lost[1]}+{lost[2]}"
    try:
        time = datetime.fromisoformat(given.upper())
        time.timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{text[:40]!r} is not {FORMS}") from error
    return time
