"""Languages that can be asked for. A session may name one; without it the language is detected."""

from collections.abc import Collection
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from undertone.errors import Refusal

_CODES = """
af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is it
ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn
so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh
"""

LANGUAGES = frozenset(_CODES.split())
"""Codes that some Whisper model knows (ISO 639-1, or 639-3). Where the model in use lacks one, it detects instead."""


_OTHER_NAMES = {"cmn": "zh", "fil": "tl", "in": "id", "iw": "he", "ji": "yi", "jv": "jw", "nb": "no", "mo": "ro"}
"""Codes of BCP 47 (current, outdated or more exact ones) and what Whisper calls the same language."""
LONGEST_TAG = 35
_NONE = frozenset({"", "auto", "und", "mul", "zxx"})


def read_language(tag: str) -> str | None:
    """The code of a language tag as browsers give it: ``en`` for ``en-US``; None for ``auto`` and for no language.

    Raises ``ValueError`` for what is no tag. The code may be one that no model knows (``check_language``).
    """
    code = tag.strip().replace("_", "-").partition("-")[0].lower()
    if code in _NONE:
        return None
    if not (code.isascii() and code.isalpha() and len(code) in {2, 3} and len(tag) <= LONGEST_TAG):
        raise ValueError("a language is a code or a tag, as in en, ko or en-US; leave it out to have it detected")
    return _OTHER_NAMES.get(code, code)


def _read(given: object) -> object:
    try:
        return read_language(given) if isinstance(given, str) else given
    except ValueError as error:
        raise PydanticCustomError("language", "{reason}", {"reason": str(error)}) from error


Language: TypeAlias = Annotated[str | None, BeforeValidator(_read, json_schema_input_type=str | None)]
"""A language in a request, as its code; None to have it detected."""


def check_language(language: str | None, known: Collection[str] = LANGUAGES) -> None:
    """Return if ``language`` is ``known``, or none is given; else raise ``Refusal``."""
    if language is not None and language not in known:
        raise Refusal(
            "language_unknown",
            f"the speech model does not know the language {language!r}: "
            "give a code such as en or ko, or none to have it detected",
            status=422,
        )
