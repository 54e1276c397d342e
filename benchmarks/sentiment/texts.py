"""The labelled text that models are judged on, as it stands and in the form of speech."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeAlias

from models.training.labelled import label_of, read_labelled
from models.training.spoken import write_out, write_out_korean
from undertone.events import Label

HEARD, TRUSTED, WRITTEN, SPOKEN = "text", "trusted", "original", "spoken"
"""Columns: the text; and of one read aloud what the classifier would judge, and what was read (see ``aloud``); and a
text in the form of speech."""

HANGUL = re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")


@dataclass(frozen=True, slots=True)
class Text:
    """One text and what people said that it is."""

    label: Label
    text: str


Columns: TypeAlias = dict[str, list[Text]]
"""The rows of a file for each of its columns of text."""


def read_columns(path: Path, names: Sequence[str]) -> Columns:
    """The rows of a file (UTF-8, plain or ``.gz``) for each of the columns ``names`` that it has, at least the first.

    Tabs separate, nothing quotes; blank lines are passed over and texts may be empty. Raises ``FatalError`` for a file
    that cannot be read, lacks the columns, holds another label or no rows.
    """
    rows = read_labelled(path, names[:1])
    return {name: [Text(label_of(row), row[name]) for row in rows] for name in names if name in rows[0]}


def write_out_all(texts: Sequence[Text], language: str) -> list[Text]:
    """Texts as transcripts of somebody who reads them, heard without error: the same each time."""
    random = Random(0)
    form = write_out_korean if language == "ko" else write_out
    return [Text(one.label, form(one.text, random)) for one in texts]


def guess_language(texts: Iterable[str]) -> str:
    """``ko`` where most letters are Hangul, else ``en``."""
    whole = " ".join(texts)
    return "ko" if 2 * len(HANGUL.findall(whole)) > sum(map(str.isalpha, whole)) else "en"
