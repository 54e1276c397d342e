"""The one codec: values to and from the bytes and headers of a Kafka record.

Every record carries ``schema`` (``undertone.<type>/<version>``) and ``content-type``. Events are UTF-8 JSON; audio
is raw PCM with its position in headers. Golden bytes are kept in ``tests/contract``.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from pydantic import TypeAdapter, ValidationError

from undertone.audio import BYTES_PER_SAMPLE
from undertone.errors import PoisonError
from undertone.events import AnyEvent, Event
from undertone.records import Audio, AudioRecord, Close, Gap, Open

Headers: TypeAlias = list[tuple[str, bytes]]

VERSION = 1
JSON = b"application/json"
PCM = b"audio/pcm;rate=16000;encoding=s16le;channels=1"

_EVENTS: TypeAdapter[Event] = TypeAdapter(AnyEvent)
_CONTROLS: dict[str, TypeAdapter[Open] | TypeAdapter[Gap] | TypeAdapter[Close]] = {
    "open": TypeAdapter(Open),
    "gap": TypeAdapter(Gap),
    "close": TypeAdapter(Close),
}


def encode(event: Event) -> tuple[bytes, Headers]:
    """The value and headers of an event's record."""
    return event.model_dump_json().encode(), _headers(event.type, JSON)


def decode(value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Event:
    """The event of a record. Raises ``PoisonError`` for bytes that are no event, or one of a future version."""
    kind = _check_schema(dict(headers))
    try:
        event = _EVENTS.validate_json(value or b"")
    except ValidationError as error:
        raise PoisonError(f"the record is not a valid {kind} event: {error}") from error
    if event.type != kind:
        raise PoisonError(f"the record's schema header says {kind}, its value says {event.type}")
    return event


def encode_audio(record: AudioRecord) -> tuple[bytes, Headers]:
    """The value and headers of one record of the ``audio`` topic."""
    kind = type(record).__name__.lower()
    where = [
        ("kind", kind.encode()),
        ("at", str(record.at).encode()),
        ("connection", record.connection.encode()),
    ]
    if isinstance(record, Audio):
        return record.pcm, _headers("audio", PCM) + where
    value = json.dumps(dataclasses.asdict(record), ensure_ascii=False, separators=(",", ":"))
    return value.encode(), _headers("audio", JSON) + where


def decode_audio(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> AudioRecord:
    """The record of the ``audio`` topic. Raises ``PoisonError`` for bytes that are none."""
    given = dict(headers)
    _check_schema(given)
    try:
        kind = given["kind"].decode()
        if kind == "audio":
            if not value or len(value) % BYTES_PER_SAMPLE:
                raise PoisonError("the audio record is empty or ends inside a sample")
            at = int(given["at"])
            if at < 0:
                raise PoisonError("the audio record starts before sample 0")
            return Audio((key or b"").decode(), given["connection"].decode(), at, value)
        return _CONTROLS[kind].validate_json(value or b"")
    except (KeyError, ValueError, AttributeError, TypeError) as error:  # a header may be missing, odd or null
        raise PoisonError(f"the record is not a valid audio record: {error!r}") from error


def _headers(kind: str, content_type: bytes) -> Headers:
    return [("schema", f"undertone.{kind}/{VERSION}".encode()), ("content-type", content_type)]


def _check_schema(headers: Mapping[str, bytes]) -> str:
    schema = (headers.get("schema") or b"").decode(errors="replace")
    name, _, version = schema.partition("/")
    if not name.startswith("undertone.") or not (version.isascii() and version.isdigit()):
        raise PoisonError(f"the record has no schema header that Undertone knows: {schema!r}")
    if int(version) > VERSION:
        raise PoisonError(
            f"the record has schema {schema}, newer than this program's {VERSION}: upgrade it, then replay"
        )
    return name.removeprefix("undertone.")
