"""Languages that can be asked for. A session may name one; without it the language is detected."""

from collections.abc import Collection

from undertone.errors import Refusal

_CODES = """
af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is it
ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn
so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh
"""

LANGUAGES = frozenset(_CODES.split())
"""Codes that some Whisper model knows (ISO 639-1, or 639-3). Where the model in use lacks one, it detects instead."""


def check_language(language: str | None, known: Collection[str] = LANGUAGES) -> None:
    """Return if ``language`` is ``known``, or none is given; else raise ``Refusal``."""
    if language is not None and language not in known:
        raise Refusal(
            "language_unknown",
            f"the speech model does not know the language {language!r}: "
            "give a code such as en or ko, or none to have it detected",
            status=422,
        )
