"""Folds words for search: what people do not tell apart becomes one spelling. Pure.

1. Case, width and invisible characters, as Unicode's NFKC_Casefold (UAX #31): ``Straße`` is ``STRASSE``, ``ＯＫ`` is
   ``ok``; joiners, soft hyphens and variation selectors are dropped. All kinds of apostrophe are one.
2. Accents of Latin letters, where a letter has exactly one mark and the pair is in ``_ACCENTS``. CLDR's collations of
   French, Italian, Portuguese, Catalan and Dutch tell these pairs apart by accent only. Letters that an alphabet counts
   as its own stay: å, ä, ö, ü, ñ, č, ł, ơ, ….
3. All marks of Greek letters: capitals are written without them, and CLDR's Greek collation counts none as a letter.
4. Vowel points of Arabic and Hebrew, and the Arabic tatweel: writers leave them out.

Marks of every other script stay: й is not и, が is not か. docs/decisions/0013 has the reasons.
"""

import unicodedata

import regex

LONGEST_TERM = 64
APOSTROPHES = "'‘’‛ʼ′׳＇"

_APOSTROPHE = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))
_INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_POINTS = regex.compile("[\u0640\u064b-\u0652\u0670\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]")
_LETTER = regex.compile(r"(\P{M})(\p{M}+)")
_GREEK = regex.compile(r"\p{Script=Greek}")
_ACCENTS = {
    "\u0300": "aeiouy",  # grave
    "\u0301": "aeiouy",  # acute
    "\u0302": "aeiouy",  # circumflex
    "\u0303": "ao",  # tilde
    "\u0304": "aeiouy",  # macron
    "\u0307": "i",  # dot: what case folding leaves of İ
    "\u0308": "eiy",  # diaeresis
    "\u0327": "c",  # cedilla
}


def fold(word: str) -> str:
    """Returns the spelling that a word has in search, at most ``LONGEST_TERM`` characters; empty if nothing is left."""
    visible: str = _INVISIBLE.sub("", word.translate(_APOSTROPHE))
    folded: str = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
    if not folded.isascii():
        folded = _POINTS.sub("", _INVISIBLE.sub("", folded))
        folded = _LETTER.sub(_without_accents, unicodedata.normalize("NFD", folded))
        folded = unicodedata.normalize("NFC", folded)
    return folded[:LONGEST_TERM]


def _without_accents(letter: "regex.Match[str]") -> str:
    base, marks = str(letter[1]), str(letter[2])
    is_accent = base in _ACCENTS.get(marks, "") or _GREEK.match(base)
    return base if is_accent else base + marks
