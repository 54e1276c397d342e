"""Events to rows and back. A row gives back an equal event, but for U+0000, which PostgreSQL cannot hold."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from storage.eras import eras_of
from storage.terms import VERSION, vector
from undertone.events import Session, Utterance, Value, Window
from undertone.identifiers import session_made_ms
from undertone.parts import map_in_parts

E = TypeVar("E", Session, Utterance, Window)

_REPLACEMENT = "\ufffd"  # what Unicode has for a character that cannot be shown


def row_of(event: Session | Utterance | Window) -> dict[str, Any]:
    """The columns of an event; nested values as JSON, U+0000 as U+FFFD."""
    row: dict[str, Any] = {}
    for name in type(event).model_fields:
        value = getattr(event, name)
        if name != "type":
            row[name] = _clean(value.model_dump(mode="json") if isinstance(value, Value) else value)
    return row


def search_columns(session_id: str, text: str, suppressed: str | None) -> dict[str, Any]:
    """What an utterance is found by; one that is suppressed is not found."""
    if suppressed is not None:
        return {"terms": None, "eras": None, "terms_version": VERSION}
    return {"terms": vector(text), "terms_version": VERSION, "eras": eras_of(session_made_ms(session_id))}


def event_of(model: type[E], row: Mapping[str, Any]) -> E:
    """The event of a row; columns that are no field of it are ignored."""
    return model.model_validate({name: row[name] for name in model.model_fields if name != "type"})


async def events_of(model: type[E], rows: Iterable[Mapping[str, Any]]) -> list[E]:
    """The events of many rows, made in parts."""
    return await map_in_parts(partial(event_of, model), rows)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", _REPLACEMENT)
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
