"""The one Unicode form (NFC) of titles, tags and queries: é typed as one character and as two is the same text."""

import unicodedata
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator


def normalize(text: str) -> str:
    """Returns the text in composed form (NFC). Every entry applies it before it counts the length."""
    return unicodedata.normalize("NFC", text)


def _normalize_text(value: Any) -> Any:
    return normalize(value) if isinstance(value, str) else value


NormalText: TypeAlias = Annotated[str, BeforeValidator(_normalize_text)]
"""A text field that is normalized before its length is checked."""
