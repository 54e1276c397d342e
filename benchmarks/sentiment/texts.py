"""Labelled text: tab-separated files with a header, of which the columns ``label`` and ``text`` are read."""

import gzip
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeAlias, get_args

from models.training.spoken import write_out, write_out_korean
from undertone.errors import FatalError
from undertone.events import Label

LABELS: tuple[Label, ...] = get_args(Label)

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
    header, *lines = _read(path).removesuffix("\n").split("\n")
    columns = header.removesuffix("\r").split("\t")
    missing = [name for name in ("label", names[0]) if name not in columns]
    if missing:
        raise FatalError(
            f"{path} has no column {' and no '.join(missing)}: its first line names the columns, separated by tabs, "
            f"and label and {names[0]} must be among them"
        )
    found: Columns = {name: [] for name in names if name in columns}
    for number, line in enumerate(lines, start=2):
        if line.strip():
            fields = line.removesuffix("\r").split("\t")
            if len(fields) != len(columns):
                raise FatalError(f"{path}, line {number}: {len(fields)} fields where the header has {len(columns)}")
            row = dict(zip(columns, fields, strict=True))
            for name, texts in found.items():
                texts.append(Text(_label(row["label"], path, number), row[name]))
    if not found[names[0]]:
        raise FatalError(f"{path} has no rows below its header: there is nothing to judge")
    return found


def write_out_all(texts: Sequence[Text], language: str) -> list[Text]:
    """Texts as transcripts of somebody who reads them, heard without error: the same each time."""
    random = Random(0)
    form = write_out_korean if language == "ko" else write_out
    return [Text(one.label, form(one.text, random)) for one in texts]


def guess_language(texts: Iterable[str]) -> str:
    """``ko`` where most letters are Hangul, else ``en``."""
    whole = " ".join(texts)
    return "ko" if 2 * len(HANGUL.findall(whole)) > sum(map(str.isalpha, whole)) else "en"


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise FatalError(f"{path} cannot be read: {error}; give text in UTF-8, plain or as .gz") from error


def _label(label: Any, path: Path, number: int) -> Label:
    if label not in LABELS:
        raise FatalError(f"{path}, line {number}: {label!r} is no label; labels are {', '.join(sorted(LABELS))}")
    known: Label = label
    return known
