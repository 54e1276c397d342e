"""The import table of the house (docs/architecture.md): which folder may know which."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_IMPORT: dict[str, set[str]] = {
    "undertone": set(),
    "models": {"undertone"},
    "storage": {"undertone"},
    "ingest_api": {"undertone"},
    "stream_apps": {"undertone", "models", "storage"},
    "dashboards": {"undertone", "storage"},
}
STARTERS = ("undertone/cli.py", "undertone/commands/", "undertone/local/")
"""What starts the others may import them all."""

PURE = {
    "models": ("aiokafka", "faust", "fastapi", "starlette", "sqlalchemy", "psycopg", "uvicorn"),
    "storage": ("aiokafka", "faust", "fastapi", "starlette", "uvicorn"),
    "ingest_api": ("faust", "sqlalchemy", "psycopg", "faster_whisper", "ctranslate2"),
    "dashboards": ("faust", "faster_whisper", "ctranslate2"),
}
"""Outside packages that a folder must do without: models know no Kafka, HTTP or SQL; ingest needs Kafka alone."""

Import = tuple[str, str, str]
"""File, line and top-level package of one import."""


def imports_of(folder: Path) -> Iterator[Import]:
    for file in sorted(folder.rglob("*.py")):
        name = file.relative_to(folder.parent).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), name)):
            if isinstance(node, ast.Import):
                yield from ((name, f"{name}:{node.lineno}", alias.name.split(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield name, f"{name}:{node.lineno}", node.module.split(".")[0]


def strays(root: Path, folder: str) -> list[str]:
    """Imports of our own folders that the table does not allow, as ``file:line imports folder``."""
    allowed = MAY_IMPORT[folder] | {folder}
    ours = set(MAY_IMPORT) | {"tests", "benchmarks"}
    return [
        f"{where} imports {package}"
        for file, where, package in imports_of(root / folder)
        if package in ours - allowed and not (file.startswith(STARTERS) and package in MAY_IMPORT)
    ]


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_what_the_table_allows(folder: str) -> None:
    assert strays(ROOT, folder) == []


@pytest.mark.parametrize("folder", PURE)
def test_a_folder_does_without_what_is_not_its_business(folder: str) -> None:
    assert [where for _, where, package in imports_of(ROOT / folder) if package in PURE[folder]] == []


def test_a_stray_import_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "storage"
    folder.mkdir()
    (folder / "rows.py").write_text("from undertone import events\n\ndef late() -> None:\n    import models.speech\n")
    assert strays(tmp_path, "storage") == ["storage/rows.py:4 imports models"]


def test_only_the_starters_of_undertone_reach_up(tmp_path: Path) -> None:
    local = tmp_path / "undertone" / "local"
    local.mkdir(parents=True)
    (local / "up.py").write_text("import dashboards.app\n")
    (tmp_path / "undertone" / "topics.py").write_text("import dashboards.app\n")
    assert strays(tmp_path, "undertone") == ["undertone/topics.py:1 imports dashboards"]


def test_every_package_of_the_project_is_in_the_table() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - {"tests", "benchmarks"} == set(MAY_IMPORT)
