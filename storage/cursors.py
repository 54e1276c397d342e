"""Opaque cursors of pages: the key of the last row, so that rows added elsewhere move nothing."""

import base64
import binascii
import json
import re
from typing import Any, TypeAlias

from undertone.errors import Refusal

Key: TypeAlias = str | int | float

_LONGEST = 400
_ID = re.compile(r"[0-9a-z-]{1,100}")


def make_cursor(kind: str, *key: Key) -> str:
    """A cursor that stands after the row with ``key`` in the listing ``kind``."""
    return base64.urlsafe_b64encode(json.dumps([kind, *key]).encode()).decode().rstrip("=")


def read_cursor(kind: str, cursor: str, *types: type[Key]) -> list[Any]:
    """The key in a cursor. Raises ``Refusal`` (400) for one that this listing did not give."""
    found = _decode(cursor) if len(cursor) <= _LONGEST else None
    if (
        not isinstance(found, list)
        or found[:1] != [kind]
        or [type(part) for part in found[1:]] != list(types)
        or not all(map(_is_plain, found[1:]))
    ):
        raise Refusal("bad_cursor", "the cursor is not one of this listing: begin again without it", status=400)
    return found[1:]


def _decode(cursor: str) -> Any:
    """The JSON in a cursor; None for anything else, such as brackets that are nested deeper than Python reads."""
    try:
        return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None


def _is_plain(part: Key) -> bool:
    """Whether PostgreSQL takes it as text or as a number: no surrogates, no NUL."""
    return not isinstance(part, str) or _ID.fullmatch(part) is not None
