"""The filters that the list of sessions and the search have in common, as they stand in the query."""

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from fastapi import Depends, Query

from storage.listing import Filters
from undertone.events import Label
from undertone.normal_form import NormalText

Length: TypeAlias = Annotated[int | None, Query(ge=0, description="milliseconds of media time")]


def read_filters(
    since: Annotated[datetime | None, Query(alias="from", description="sessions made at this time or later")] = None,
    until: Annotated[datetime | None, Query(alias="to", description="sessions made before this time")] = None,
    language: Annotated[str | None, Query(max_length=20)] = None,
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
