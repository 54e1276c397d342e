"""What the code says about itself: refusals, metrics, routes, commands; for the tests of the documents."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from tests.docs.tables import ROOT

PACKAGES = ("undertone", "models", "storage", "ingest_api", "stream_apps", "dashboards")
METRICS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}


class RefusalCall(NamedTuple):
    """One ``Refusal(code, ..., status=status)`` in the code. ``code`` is None where it is not written out."""

    where: str
    code: str | None
    status: int | None


def refusals() -> list[RefusalCall]:
    """Every place where a ``Refusal`` is made."""
    return [
        RefusalCall(where, _text(call.args[0]) if call.args else None, _status(call))
        for where, call in _calls({"Refusal"})
    ]


def metrics() -> dict[str, str]:
    """Every Prometheus metric by the name under which it is served, with the help that it carries."""
    found = {}
    for where, call in _calls(METRICS):
        kind = call.func.id if isinstance(call.func, ast.Name) else ""
        if len(call.args) >= 2:
            name, text = _text(call.args[0]), _text(call.args[1])
            if not name or not text:
                raise AssertionError(f"{where}: the metric's name and help are not written out")
            suffix = "_total" if kind == "Counter" and not name.endswith("_total") else ""
            found[name + suffix] = text
    return found


def texts() -> list[str]:
    """Every string in the code, with ``…`` where a value is put in."""
    found = []
    for file in _files():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(_text(part) or "…" for part in node.values))
            elif (text := _text(node)) is not None:
                found.append(text)
    return found


def endpoints(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Method and path of every route; ``WS`` for a WebSocket, ``GET`` for static files under a path."""
    for route in routes:
        if isinstance(route, WebSocketRoute):
            yield "WS", prefix + route.path
        elif isinstance(route, Route):
            yield from ((method, prefix + route.path) for method in sorted((route.methods or set()) - {"HEAD"}))
        elif (router := getattr(route, "original_router", None)) is not None:  # FastAPI's include_router
            yield from endpoints(router.routes, prefix)
        elif isinstance(route, Mount):
            inner = list(endpoints(route.routes, prefix + route.path))
            yield from inner or [("GET", f"{prefix}{route.path}/")]
        else:
            raise TypeError(f"a kind of route that this test does not know: {route!r}")


def commands() -> dict[str, TyperCommand]:
    """Every command of ``undertone`` that does something, by its words: ``worker``, ``models list``."""
    from undertone.cli import app

    root = get_command(app)
    assert isinstance(root, TyperGroup)
    return dict(_leaves(root, ""))


def _leaves(group: TyperGroup, prefix: str) -> Iterator[tuple[str, TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _leaves(command, f"{prefix}{name} ")
        elif isinstance(command, TyperCommand) and not command.hidden:
            yield prefix + name, command


def _calls(names: set[str]) -> Iterator[tuple[str, ast.Call]]:
    for file in _files():
        where = file.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), where)):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", None)
                if name in names:
                    yield f"{where}:{node.lineno}", node


def _files() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _status(call: ast.Call) -> int | None:
    for keyword in call.keywords:
        if keyword.arg == "status" and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, int):
            return keyword.value.value
    return None
