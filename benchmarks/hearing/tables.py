"""Tables on the terminal."""

from collections.abc import Sequence
from typing import Any


def show_table(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows of equal keys under their names."""
    texts = [list(rows[0]), *[["-" if value is None else str(value) for value in row.values()] for row in rows]]
    widths = [max(len(row[column]) for row in texts) for column in range(len(texts[0]))]
    for row in texts:
        print("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)))
