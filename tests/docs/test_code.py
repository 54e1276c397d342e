"""docs/http.md, docs/cli.md and docs/operating.md say what the code does."""

import re
import shlex
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.core import TyperOption

import dashboards.app
import dashboards.rights
import ingest_api.app
import ingest_api.rights
from tests.docs.code import commands, endpoints, metrics, refusals, texts
from tests.docs.tables import ROOT, document, rows
from undertone.settings import Settings

HTTP = document("docs/http.md")
CLI = document("docs/cli.md")
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with which the apps can be made; nothing is connected."""
    return Settings(
        home=tmp_path,
        kafka="127.0.0.1:9",
        database=SecretStr("postgresql://nobody@127.0.0.1:9/none"),
        secret=SecretStr("s" * 32),
    )


@pytest.mark.parametrize("side", ["ingest_api", "dashboards"])
def test_every_route_is_documented_and_none_that_does_not_exist(side: str, settings: Settings) -> None:
    app = {"ingest_api": ingest_api.app, "dashboards": dashboards.app}[side].make_app(settings)
    section = HTTP.split(f"\n## {side}")[1].split("\n## ")[0]
    documented = {
        (row[0].strip("`"), row[1].strip("`")): row[2] for row in rows(section) if re.fullmatch(r"`[A-Z]+`", row[0])
    }
    assert set(documented) == set(endpoints(app.routes))
    needs = {"ingest_api": ingest_api.rights, "dashboards": dashboards.rights}[side].NEEDS
    assert documented == {route: str(need) for route, need in needs.items()}


def test_every_refusal_is_documented_with_its_status() -> None:
    documented: dict[str, set[int]] = {}
    for row in rows(HTTP.split("\n## Errors")[1].split("\n## ")[0]):
        documented.setdefault(row[0].strip("`"), set()).update(int(word) for word in re.findall(r"\d{3}", row[1]))
    made: dict[str, set[int]] = {}
    for _, code, status in refusals():
        if code is not None:
            made.setdefault(code, set()).update({status} if status else set())
    assert {code: statuses - documented.get(code, set()) for code, statuses in made.items()} == {
        code: set() for code in made
    }
    assert set(made) <= set(documented)
    assert set(documented) <= set(made) | CODES_IN_VARIABLES


CODES_IN_VARIABLES = {"body_too_large", "file_too_large"}
"""Codes that the code hands to ``Refusal`` in a variable; the reader of the syntax tree cannot see them."""


def test_every_metric_is_documented() -> None:
    documented = {row[0].strip("`") for row in rows(document("docs/operating.md")) if row[0].startswith("`undertone_")}
    assert documented == set(metrics())


@pytest.mark.parametrize("name", commands())
def test_every_command_is_documented_with_its_options(name: str) -> None:
    command = commands()[name]
    (row,) = [row for row in rows(CLI) if re.match(rf"`undertone {name}(?![a-z-])[^`]*`$", row[0])]
    for parameter in command.params:
        if isinstance(parameter, TyperOption) and parameter.name != "help" and not parameter.hidden:
            assert f"`{max(parameter.opts, key=len)}" in row[1], f"{name}: {parameter.opts}"


def test_no_command_is_documented_that_does_not_exist() -> None:
    for row in rows(CLI):
        words = row[0].strip("`").split()
        assert words[0] == "undertone"
        assert any(" ".join(words[1:]).startswith(name) for name in commands()), row[0]


def test_messages_that_are_explained_are_given() -> None:
    given = texts()
    table = document("docs/operating.md").split("| the message has |")[1].split("\n\n")[0]
    explained = [row[0].strip("`") for row in rows("\n" + table) if row[0].startswith("`")]
    assert explained
    for message in explained:
        assert any(message in text for text in given), f"nothing says: {message}"


def _shown() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", document(page), re.DOTALL):
            found += [(page, line) for line in block.replace("\\\n", " ").splitlines() if line.strip()]
    return found


@pytest.mark.parametrize(("page", "line"), [shown for shown in _shown() if re.search(r"\bundertone [a-z]", shown[1])])
def test_commands_shown_in_the_documents_parse(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    while words[0] != "undertone":  # variables, `docker compose run setup`, ...
        words.pop(0)
    known = commands()
    name = " ".join(words[1:3]) if " ".join(words[1:3]) in known else words[1]
    end = next((number for number, word in enumerate(words) if word in {"|", ">", "&&"}), len(words))
    known[name].make_context(name, words[1 + len(name.split()) : end])


@pytest.mark.parametrize("page", PAGES)
def test_targets_of_make_that_are_named_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", document("Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", document(page), re.MULTILINE)) <= targets


def test_the_makefile_has_at_most_12_recipes() -> None:
    assert len(re.findall(r"^[$()A-Za-z-]+:(?!=).*\n\t", document("Makefile"), re.MULTILINE)) <= 12


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings_that_exist(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document(page)):
        if "://" in target:
            continue
        path, _, heading = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), f"{page} links to {target}"
        if heading:
            titles = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, target


@pytest.mark.parametrize("page", PAGES)
def test_tests_that_are_named_exist(page: str) -> None:
    for file, _, name in re.findall(r"`(tests/[\w/]+\.py)(::(\w+))?`", document(page)):
        assert (ROOT / file).is_file(), f"{page} names {file}"
        if name:
            assert re.search(rf"^(async )?def {name}\(", document(file), re.MULTILINE), f"{page} names {file}::{name}"
