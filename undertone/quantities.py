"""The kinds of values in records, each with its bounds: what lies outside is poison to the first who reads it.

Bounds are far beyond what our own programs write, and within what whoever reads on can bear: a column of PostgreSQL,
a date of Python, a record of Kafka.
"""

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, AwareDatetime, Field

from undertone.audio import LAST_SAMPLE, to_ms
from undertone.identifiers import is_session_id


def _check_session_id(text: str) -> str:
    if not is_session_id(text):
        raise ValueError("a session id is a UUIDv7 in lower case, made before the year 3000")
    return text


SessionId: TypeAlias = Annotated[str, AfterValidator(_check_session_id)]
Sample: TypeAlias = Annotated[int, Field(ge=0, le=LAST_SAMPLE)]
"""A position in a session."""
Milliseconds: TypeAlias = Annotated[int, Field(ge=0, le=to_ms(LAST_SAMPLE))]
"""Media time."""
Count: TypeAlias = Annotated[int, Field(ge=0, le=2**63 - 1)]
Number: TypeAlias = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
Decibels: TypeAlias = Annotated[float, Field(ge=-200, le=200)]
Time: TypeAlias = Annotated[
    AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(4000, 1, 1, tzinfo=UTC))
]
"""Wall time, with its offset from UTC. What clocks say is taken up to the year 3000, and time goes on from there."""
Name: TypeAlias = Annotated[str, Field(max_length=200)]
Line: TypeAlias = Annotated[str, Field(max_length=1000)]
Lines: TypeAlias = Annotated[tuple[Line, ...], Field(max_length=100)]
Text: TypeAlias = Annotated[str, Field(max_length=20_000)]
"""What is said in one utterance: half a minute, a fraction of this."""
