"""Reading and writing the tables of the documents."""

import re
from pathlib import Path

from pydantic_core import PydanticUndefined

from undertone.settings import Settings

ROOT = Path(__file__).parents[2]
_FROM_THE_MACHINE = {"home": "per platform", "cache": "per platform"}


def document(name: str) -> str:
    """The text of a file, by its path from the project's root."""
    return (ROOT / name).read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of every table row of a Markdown text, headings and rulers left out."""
    found = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line.startswith("|") and not _is_ruler(line) and not _is_ruler(following):
            found.append([cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def settings_rows() -> list[list[str]]:
    """What docs/settings.md must say of each setting: variable, default, description."""
    table = []
    for name, field in Settings.model_fields.items():
        if name in _FROM_THE_MACHINE:
            default = _FROM_THE_MACHINE[name]
        elif field.default is PydanticUndefined:
            raise AssertionError(f"say in tests/docs/tables.py what the default of {name} is")
        else:
            default = "unset" if field.default is None else f"`{str(field.default).lower()}`"
            if isinstance(field.default, str):
                default = f"`{field.default}`"
        table.append([f"`UNDERTONE_{name.upper()}`", default, field.description or ""])
    return table


def write_settings_table() -> None:
    """Put the same into docs/settings.md, in place of the table that is there."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in settings_rows()]
    old = document("docs/settings.md")
    before, _, rest = old.partition(lines[0])
    _, _, after = rest.partition("\n\n")
    (ROOT / "docs/settings.md").write_text(before + "\n".join(lines) + "\n\n" + after, encoding="utf-8")


def _is_ruler(line: str) -> bool:
    return re.fullmatch(r"[|:\- ]+", line) is not None and "-" in line


if __name__ == "__main__":
    write_settings_table()
