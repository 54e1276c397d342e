"""Migrations are frozen: they import no code that changes, and version 1 of the search terms stays as it is."""

import ast
from pathlib import Path

import pytest

from storage import migrations, terms_1
from tests.storage_events import session_id

TERMS = Path(terms_1.__file__)
FROZEN = [*sorted(Path(*migrations.__path__, "versions").glob("*.py")), TERMS]
LIVE = {"benchmarks", "dashboards", "ingest_api", "models", "storage", "stream_apps", "tests", "undertone"}


def imported(source: str) -> set[str]:
    """The modules of ours that a file imports."""
    names = set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(f"{'.' * node.level}{node.module or ''}")
    return {name for name in names if name.startswith(".") or name.partition(".")[0] in LIVE}


@pytest.mark.parametrize("path", FROZEN, ids=lambda path: path.name)
def test_a_migration_imports_frozen_code_only(path: Path) -> None:
    assert imported(path.read_text(encoding="utf-8")) <= {"storage.terms_1"}


def test_the_check_sees_every_form_of_import() -> None:
    assert imported("import re\nimport storage.rows\ndef f():\n    from storage.terms import vector") == {
        "storage.rows",
        "storage.terms",
    }
    assert imported("from ..rows import row_of") == {"..rows"}


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The refunds aren’t", "'the':1 'refund':2 'refunds':2 'aren''t':3"),
        ("Café cafe\u0301 CAFE", "'café':1,2 'cafe':3"),
        ("날씨가 비가", "'날씨':1 '씨가':2 '비가':4 '비':4"),
        ("水曜日 が", "'水曜':1 '曜日':2 'が':4"),
        ("ดีมาก", "'ด':1 'มาก':2"),
        ("ＯＫ 1,000 Straße", "'ok':1 '1':2 '000':3 'strass':4 'strasse':4"),
    ],
)
def test_version_1_of_the_terms_stays_as_it_is(text: str, terms: str) -> None:
    assert terms_1.vector(text) == terms


def test_version_1_of_the_search_columns_stays_as_it_is() -> None:
    assert terms_1.search_columns(session_id(), "one", None) == {
        "terms": "'one':1",
        "eras": [1707077, 67322248, 134244401, 201329926, 268435872, 335544372],
    }
    assert terms_1.search_columns(session_id(), "one", "no_speech") == {"terms": None, "eras": None}
