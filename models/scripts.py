"""The scripts that languages are written in, by how Unicode's names of their letters begin. Pure."""

import re
import unicodedata

_OTHER_THAN_LATIN = {
    "HANGUL": "ko",
    "HIRAGANA KATAKANA CJK": "ja",
    "CJK": "zh yue",
    "CYRILLIC": "ru uk be bg mk kk ba tg",
    "CYRILLIC LATIN": "sr bs uz az tk tt mn",
    "GREEK": "el",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "HEBREW": "he yi",
    "ARABIC": "ar fa ur ps",
    "ARABIC DEVANAGARI": "sd",
    "DEVANAGARI": "hi mr ne sa",
    "BENGALI": "bn as",
    "GUJARATI": "gu",
    "GURMUKHI ARABIC": "pa",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "SINHALA": "si",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "TIBETAN": "bo",
    "ETHIOPIC": "am",
}
_SCRIPTS = {
    language: tuple(scripts.split()) for scripts, all_ in _OTHER_THAN_LATIN.items() for language in all_.split()
}
_WORD = re.compile(r"[^\W\d_]+")


def other_than_latin(language: str) -> tuple[str, ...] | None:
    """How the names of a language's letters begin, or None for one that is written in Latin letters."""
    return _SCRIPTS.get(language)


def is_in_its_script(text: str, language: str) -> bool:
    """Whether at least half of the words have a letter of a script that ``language`` is written in; so has no word.

    Words, not letters, since a syllable of Hangul weighs as much as three letters of Latin, and people mix the two.
    """
    scripts = _SCRIPTS.get(language, ("LATIN",))
    words = _WORD.findall(text)
    return 2 * sum(any(unicodedata.name(c, "").startswith(scripts) for c in word) for word in words) >= len(words)
