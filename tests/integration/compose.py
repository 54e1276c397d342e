"""Reading docker-compose.yml and deploy/Caddyfile as their programs do, as far as ours use them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


class UnsetError(Exception):
    """A variable that compose insists on has no value; compose would print this and not start."""


def read_compose(environment: Mapping[str, str]) -> dict[str, Any]:
    """docker-compose.yml with its variables filled in from ``environment``. Raises ``UnsetError``."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    filled: dict[str, Any] = _fill(yaml.safe_load(text), environment)
    return filled


def _fill(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _fill(item, environment) for name, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, environment) for item in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _lookup(match, environment), value)
    return value


def _lookup(match: re.Match[str], environment: Mapping[str, str]) -> str:
    name, operator, word = match.groups()
    value = environment.get(name, "")
    if value or operator is None:
        return value
    if operator == "-":
        return str(word)
    raise UnsetError(f"{name}: {word}")


@dataclass(frozen=True)
class Request:
    """What a reverse proxy looks at."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


def route(caddyfile: str, request: Request) -> str:
    """Where the Caddyfile sends a request: the first directive of the first ``handle`` that fits."""
    matchers: dict[str, list[list[str]]] = {}
    for name, rest in re.findall(r"^\t@(\w+) (.*)$", caddyfile, re.MULTILINE):
        if rest == "{":
            body = re.search(rf"^\t@{name} \{{\n(.*?)^\t\}}", caddyfile, re.MULTILINE | re.DOTALL)
            assert body is not None
            matchers[name] = [line.split() for line in body[1].splitlines()]
        else:
            matchers[name] = [rest.split()]
    for name, body in re.findall(r"^\thandle (?:@(\w+) )?\{\n(.*?)^\t\}", caddyfile, re.MULTILINE | re.DOTALL):
        if all(_fits(rule, request) for rule in matchers.get(name, [])):
            return " ".join(body.split("\n")[0].rstrip(" {").split())
    raise AssertionError("no handle fits")


def _fits(rule: list[str], request: Request) -> bool:
    kind, *words = rule
    if kind == "path":
        return any(fnmatchcase(request.path, word) for word in words)
    if kind == "method":
        return request.method in words
    if kind == "header":
        return fnmatchcase(request.headers.get(words[0], ""), words[1])
    raise AssertionError(f"this test does not know the matcher {kind}")
