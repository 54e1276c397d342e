"""Labelled text: tab-separated files whose header names the columns, ``label`` and ``text`` among them."""

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from undertone.errors import FatalError
from undertone.events import Label

LABELS: tuple[Label, ...] = get_args(Label)


def read_labelled(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a file (UTF-8, plain or ``.gz``) by the names of its columns, among them ``label`` and ``needed``.

    Tabs separate, nothing quotes; blank lines are passed over and texts may be empty. Raises ``FatalError`` for a file
    that cannot be read, lacks the columns, holds another label or no rows.
    """
    header, *lines = _read(path).removesuffix("\n").split("\n")
    columns = header.removesuffix("\r").split("\t")
    wanted = ["label", *needed]
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise FatalError(
            f"{path} has no column {' and no '.join(missing)}: its first line names the columns, separated by tabs, "
            f"and {', '.join(wanted)} must be among them"
        )
    rows = []
    for number, line in enumerate(lines, start=2):
        if line.strip():
            fields = line.removesuffix("\r").split("\t")
            if len(fields) != len(columns):
                raise FatalError(f"{path}, line {number}: {len(fields)} fields where the header has {len(columns)}")
            row = dict(zip(columns, fields, strict=True))
            if row["label"] not in LABELS:
                raise FatalError(
                    f"{path}, line {number}: {row['label']!r} is no label; labels are {', '.join(sorted(LABELS))}"
                )
            rows.append(row)
    if not rows:
        raise FatalError(f"{path} has no rows below its header")
    return rows


def label_of(row: Mapping[str, str]) -> Label:
    """The label of a row that was read."""
    return next(label for label in LABELS if label == row["label"])


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise FatalError(
            f"{path} cannot be read: {error}; give text in UTF-8, plain or as .gz "
            "(docs/sentiment.md names the files that the shipped models were trained on)"
        ) from error
