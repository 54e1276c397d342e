"""Opaque cursors of pages: the key of the last row, so that rows added elsewhere move nothing."""

import base64
import binascii
import json
from typing import Any, TypeAlias

from undertone.errors import Refusal

Key: TypeAlias = str | int | float


def make_cursor(kind: str, *key: Key) -> str:
    """A cursor that stands after the row with ``key`` in the listing ``kind``."""
    return base64.urlsafe_b64encode(json.dumps([kind, *key]).encode()).decode().rstrip("=")


def read_cursor(kind: str, cursor: str, *types: type[Key]) -> list[Any]:
    """The key in a cursor. Raises ``Refusal`` (400) for one that this listing did not give."""
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        found = None
    if not isinstance(found, list) or found[:1] != [kind] or [type(part) for part in found[1:]] != list(types):
        raise Refusal("bad_cursor", "the cursor is not one of this listing: begin again without it", status=400)
    return found[1:]
