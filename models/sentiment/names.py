"""The names in the setting ``sentiment_model``, read. Pure but for looking whether a folder is there."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from models.weights.registry import Hub
from undertone.errors import FatalError
from undertone.languages import LANGUAGES

REMEDY = "set UNDERTONE_SENTIMENT_MODEL to shipped, vader, hf:owner/name@commit, a folder, or several between spaces"

_NAME = re.compile(r"(?P<name>.+?)(?:\[(?P<languages>[^\[\]]*)\])?")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the hub, or in a folder. ``languages`` is None where the setting does not say them."""

    source: Hub | Path
    languages: frozenset[str] | None


BuiltIn: TypeAlias = Literal["vader", "shipped"]


def read_names(setting: str) -> tuple[BuiltIn | Model, ...]:
    """What the setting names, in its order. Raises ``FatalError`` that says how to write it."""
    try:
        names = shlex.split(setting)
    except ValueError as error:
        raise FatalError(f"UNDERTONE_SENTIMENT_MODEL is {setting}, which cannot be read: {error}") from error
    if not names:
        raise FatalError(f"UNDERTONE_SENTIMENT_MODEL names no engine: {REMEDY}")
    return tuple(_read(name) for name in names)


def hub_models(setting: str) -> list[Hub]:
    """The models of the hub among what the setting names. Raises ``FatalError``."""
    return [named.source for named in read_names(setting) if isinstance(named, Model) and isinstance(named.source, Hub)]


def read_hub(name: str) -> Hub:
    """The model that ``hf:owner/name@commit`` names. Raises ``FatalError`` that says how to write it."""
    repository, _, revision = name.removeprefix("hf:").partition("@")
    if not _REPOSITORY.fullmatch(repository) or not _COMMIT.fullmatch(revision):
        raise FatalError(
            f"UNDERTONE_SENTIMENT_MODEL names {name}; a model of the hub is written hf:owner/name@commit, with all 40 "
            "digits of the commit (on its page under Files and versions, History): a branch such as main moves on, and "
            "then old and new scores cannot be compared"
        )
    return Hub(repository, revision)


def _read(written: str) -> BuiltIn | Model:
    if written in {"vader", "shipped"}:
        return "vader" if written == "vader" else "shipped"
    parts = _NAME.fullmatch(written)
    name = parts["name"] if parts else written
    languages = None if parts is None or parts["languages"] is None else _read_languages(parts["languages"], written)
    if name.startswith("hf:"):
        return Model(read_hub(name), languages)
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise FatalError(f"no sentiment engine is named {written!r} and no folder is at that path: {REMEDY}")
    return Model(folder, languages)


def _read_languages(written: str, name: str) -> frozenset[str]:
    languages = frozenset(code.strip() for code in written.split(","))
    if not languages <= LANGUAGES:
        unknown = ", ".join(repr(code) for code in sorted(languages - LANGUAGES))
        raise FatalError(
            f"UNDERTONE_SENTIMENT_MODEL names {name} for the language {unknown}, which no transcript can be in: write "
            "codes such as [en,ko]"
        )
    return languages
