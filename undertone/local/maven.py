"""Jars of Maven Central by their coordinate, ``group:name:version``, neither checked nor run."""

from pathlib import Path
from typing import Any


def open_maven(folder: Path) -> Any:
    """What downloads into ``folder``, for ``download_jar``; several threads may share it."""
    from jgo.maven import MavenContext

    return MavenContext(repo_cache=folder)


def download_jar(maven: Any, coordinate: str) -> Path:
    """The file of one jar, without what it depends on. Raises ``OSError`` with the cause where it cannot be had."""
    group, name, version = coordinate.split(":")
    try:
        path: Path = maven.project(group, name).at_version(version).artifact().resolve()
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; jgo raises RuntimeError on 404
        raise OSError(_innermost(error)) from error
    return path


def _innermost(error: BaseException) -> str:
    while error.__context__ is not None:
        error = error.__context__
    return str(error) or type(error).__name__
