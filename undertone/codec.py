"""The one codec: values to and from the bytes and headers of a Kafka record.

Every record carries ``schema`` (``undertone.<type>/<version>``) and ``content-type``. Events are UTF-8 JSON; audio
is raw PCM with its position in headers. Golden bytes are kept in ``tests/contract``.
"""

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from pydantic import TypeAdapter, ValidationError

from undertone.audio import BYTES_PER_SAMPLE, LAST_SAMPLE
from undertone.errors import NewerError, PoisonError
from undertone.events import AnyEvent, Event
from undertone.records import Audio, AudioRecord, Close, Gap, Open

Headers: TypeAlias = list[tuple[str, bytes]]

VERSION = 1
MAX_VALUE_BYTES = 1_000_000
JSON = b"application/json"
PCM = b"audio/pcm;rate=16000;encoding=s16le;channels=1"

_EVENTS: TypeAdapter[Event] = TypeAdapter(AnyEvent)
_CONTROLS: dict[str, TypeAdapter[Open] | TypeAdapter[Gap] | TypeAdapter[Close]] = {
    "open": TypeAdapter(Open),
    "gap": TypeAdapter(Gap),
    "close": TypeAdapter(Close),
}
_AUDIO = TypeAdapter(Audio)
_SCHEMA = re.compile(r"undertone\.(\w+)/([1-9][0-9]{0,8})", re.ASCII)


def encode(event: Event) -> tuple[bytes, Headers]:
    """The value and headers of an event's record."""
    return event.model_dump_json().encode(), _headers(event.type, JSON)


def decode(value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Event:
    """The event of a record. Raises ``PoisonError`` for bytes that are no event, or one of a future version."""
    kind = _check_schema(dict(headers))
    try:
        event = _EVENTS.validate_json(_check_size(value))
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
    """The record of the ``audio`` topic, whose key is its session. Raises ``PoisonError`` for bytes that are none."""
    given = dict(headers)
    if (schema := _check_schema(given)) != "audio":
        raise PoisonError(f"the record is of the schema {schema}, and the log of a session holds audio alone")
    try:
        session_id, kind = (key or b"").decode(), given["kind"].decode()
        if kind == "audio":
            return _audio(session_id, given["connection"].decode(), given["at"].decode(), _check_size(value))
        record = _CONTROLS[kind].validate_json(_check_size(value))
    except (KeyError, ValueError, AttributeError) as error:  # a header may be missing, odd or null
        raise PoisonError(f"the record is not a valid audio record: {error!r}") from error
    if record.session_id != session_id:
        raise PoisonError(f"the record's key says session {session_id!r}, its value says {record.session_id}")
    return record


def _audio(session_id: str, connection: str, at: str, pcm: bytes) -> Audio:
    record = _AUDIO.validate_python({"session_id": session_id, "connection": connection, "at": at, "pcm": pcm})
    if len(pcm) % BYTES_PER_SAMPLE:
        raise PoisonError("the audio record ends inside a sample")
    if record.end > LAST_SAMPLE:
        raise PoisonError("the audio record ends beyond the longest session")
    return record


def _headers(kind: str, content_type: bytes) -> Headers:
    return [("schema", f"undertone.{kind}/{VERSION}".encode()), ("content-type", content_type)]


def _check_size(value: bytes | None) -> bytes:
    if value is not None and len(value) > MAX_VALUE_BYTES:
        raise PoisonError(f"the record's value has {len(value)} bytes, and at most {MAX_VALUE_BYTES} are read")
    return value or b""


def _check_schema(headers: Mapping[str, bytes]) -> str:
    schema = (headers.get("schema") or b"").decode(errors="replace")
    found = _SCHEMA.fullmatch(schema)
    if found is None:
        raise PoisonError(f"the record has no schema header that Undertone knows: {schema[:200]!r}")
    name, version = found.groups()
    if int(version) > VERSION:
        raise NewerError(f"the record has schema {schema}, newer than this program's {VERSION}: upgrade it")
    return name
