"""The names of files that are downloaded: letters of every script, in `Content-Disposition` (RFC 6266). Pure."""

from urllib.parse import quote

import regex

from undertone.normal_form import normalize

LONGEST_BYTES = 200
"""In UTF-8. File systems take 255, and programs add an ending and "(1)"."""

# letters and digits with all their signs, and the joiners that some scripts need inside a word
_WORD = regex.compile(r"[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}]|[\u200c\u200d](?=[\p{L}\p{M}]))*+")
_GRAPHEME = regex.compile(r"\X")


def content_disposition(title: str, plain_name: str, ending: str) -> str:
    """Returns the header of a file that is named after a title, or ``plain_name`` where the title has no letters.

    ``filename*`` (RFC 8187) has the name in UTF-8; ``filename`` is ``plain_name``, which is ASCII, for programs that
    do not know it.
    """
    name = file_name(title) or plain_name
    encoded = quote(f"{name}.{ending}", safe="")
    return f"attachment; filename=\"{plain_name}.{ending}\"; filename*=UTF-8''{encoded}"


def file_name(title: str) -> str:
    """Returns the words of a title, joined by hyphens and cut between graphemes; empty if it has none."""
    words = "-".join(_WORD.findall(normalize(title)))
    name, left = "", LONGEST_BYTES
    for grapheme in _GRAPHEME.findall(words):
        left -= len(grapheme.encode())
        if left < 0:
            break
        name += grapheme
    return name.rstrip("-")
