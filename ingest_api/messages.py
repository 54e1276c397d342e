"""What a recorder says in text frames, parsed into values. Everything else is a ``Refusal`` with its own code."""

import json
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ingest_api.limits import MAX_TEXT_BYTES
from undertone.errors import Refusal
from undertone.languages import Language

# What a recorder's clock may say; arithmetic with times beyond fails somewhere.
FIRST_TIME = datetime(2000, 1, 1, tzinfo=UTC)
LAST_TIME = datetime(2100, 1, 1, tzinfo=UTC)


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Start(_Message):
    """The recorder speaks up: its format, and the sample that its audio goes on from."""

    type: Literal["start"] = "start"
    sample_rate: int
    encoding: str
    language: Language = None
    started_at: Annotated[AwareDatetime, Field(ge=FIRST_TIME, lt=LAST_TIME)] | None = None
    next_sample: int = Field(0, ge=0)


class DeclaredGap(_Message):
    """There is no audio from the expected sample up to ``next_sample``."""

    type: Literal["gap"] = "gap"
    next_sample: int = Field(ge=0)


class Stop(_Message):
    """The recording is complete: nothing follows."""

    type: Literal["stop"] = "stop"


class Ping(_Message):
    """A sign of life; answered with ``pong``."""

    type: Literal["ping"] = "ping"


Message: TypeAlias = Start | DeclaredGap | Stop | Ping
_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])
_TYPES = ("start", "gap", "stop", "ping")


def parse_message(text: str) -> Message:
    """The message in a text frame. Raises ``Refusal`` saying what is wrong with it."""
    if len(text) > MAX_TEXT_BYTES or len(text.encode()) > MAX_TEXT_BYTES:
        raise Refusal("message_too_large", f"a text frame holds at most {MAX_TEXT_BYTES} bytes of JSON", status=413)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(
            "message_not_json",
            "text frames are JSON control messages, and this one is not JSON; audio goes in binary frames",
            status=400,
        ) from error
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in _TYPES:
        raise Refusal("message_unknown", f"a message has a type, one of {', '.join(_TYPES)}", status=400)
    try:
        return _MESSAGES.validate_python(value)
    except ValidationError as error:
        raise Refusal("message_invalid", f"the {kind} message is wrong: {describe(error)}", status=422) from error


def describe(error: ValidationError) -> str:
    """What is wrong with which field, in one line."""
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc'] if part not in _TYPES) or 'body'}: {item['msg']}"
        for item in error.errors()
    )
