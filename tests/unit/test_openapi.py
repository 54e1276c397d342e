"""What OpenAPI says of both sides: answers with fields, and every error with the one body."""

from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from dashboards.app import make_app as make_dashboards
from ingest_api.app import make_app as make_ingest
from undertone.settings import Settings

GIVEN = Settings(
    kafka="127.0.0.1:1",
    database=SecretStr("postgresql://nobody@127.0.0.1:1/none"),
    secret=SecretStr("a-secret-of-the-tests-and-of-nobody-else"),
)


def operations(app: FastAPI) -> list[tuple[str, dict[str, Any]]]:
    paths = app.openapi()["paths"]
    return [(f"{method} {path}", operation) for path, found in paths.items() for method, operation in found.items()]


EVERY = [*operations(make_ingest(GIVEN)), *operations(make_dashboards(GIVEN))]


@pytest.mark.parametrize(("name", "operation"), EVERY, ids=[name for name, _ in EVERY])
def test_every_answer_has_a_schema_of_its_own(name: str, operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        schemas = {kind: content["schema"] for kind, content in answer.get("content", {}).items()}
        if status == "204":
            assert schemas == {}
        elif int(status) >= 400:
            assert schemas == {"application/json": {"$ref": "#/components/schemas/Problem"}}, f"{name} {status}"
        elif name.endswith("/events"):
            assert list(schemas) == ["text/event-stream"]
        elif name.startswith("get") and name.endswith("/audio"):
            assert list(schemas) == ["audio/wav"]
        elif name.endswith("/export"):
            assert set(schemas) == {"application/x-subrip", "text/vtt", "text/csv", "application/json"}
            assert list(schemas["application/json"]) == ["$ref"]
        else:
            assert list(schemas["application/json"]) == ["$ref"], f"{name} {status}"


@pytest.mark.parametrize(("name", "operation"), EVERY, ids=[name for name, _ in EVERY])
def test_every_operation_tells_its_errors_and_takes_what_it_reads(name: str, operation: dict[str, Any]) -> None:
    assert {"401", "403", "404", "421", "422", "500"} <= set(operation["responses"])
    if name.startswith("post") and not name.endswith("/stop"):
        assert operation["requestBody"]["content"]


def test_the_transcribers_memory_is_not_told() -> None:
    schemas = make_dashboards(GIVEN).openapi()["components"]["schemas"]
    assert "resume" not in schemas["SessionState"]["properties"]
    assert "Resume" not in schemas
