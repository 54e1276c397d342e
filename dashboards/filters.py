"""The filters that the list of sessions and the search have in common, as they stand in the query."""

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from fastapi import Depends, Query
from pydantic import BeforeValidator

from storage.listing import Filters
from undertone.events import Label
from undertone.languages import Language
from undertone.normal_form import NormalText
from undertone.times import read_time

Moment: TypeAlias = Annotated[datetime | None, BeforeValidator(read_time, json_schema_input_type=datetime)]
"""A time or a day; a bare number is neither."""
Length: TypeAlias = Annotated[int | None, Query(ge=0, description="milliseconds of media time")]


def read_filters(
    since: Annotated[Moment, Query(alias="from", description="sessions made at this time or later")] = None,
    until: Annotated[Moment, Query(alias="to", description="sessions made before this time")] = None,
    language: Annotated[Language, Query(description="a code as in en, or a tag as in en-US")] = None,
    sentiment: Label | None = None,
    tag: Annotated[NormalText | None, Query(max_length=200, description="a tag of the session")] = None,
    min_length_ms: Length = None,
    max_length_ms: Length = None,
) -> Filters:
    """The filters of a request. Times without a zone are in UTC."""
    return Filters(
        since=_in_utc(since),
        until=_in_utc(until),
        language=language,
        sentiment=sentiment,
        tag=tag,
        min_length_ms=min_length_ms,
        max_length_ms=max_length_ms,
    )


Wanted: TypeAlias = Annotated[Filters, Depends(read_filters)]


def _in_utc(time: datetime | None) -> datetime | None:
    return time if time is None or time.tzinfo is not None else time.replace(tzinfo=UTC)
