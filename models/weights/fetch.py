"""Weights on this machine: fetched once, checked by SHA-256, and found again in no time.

After a full check a stamp beside the files notes each one's size, modification time and sum. Later starts compare
sizes and times alone; ``verify`` reads every byte.
"""

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from models.weights.registry import Entry, File, find
from undertone.errors import FatalError

STAMP = "checked.json"
NEEDED = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class Weights:
    """What a model's name is made of: its label and the checksum of its main file."""

    label: str
    sha256: str


def fetch(name: str, cache: Path, *, progress: Progress | None = None) -> Path:
    """The folder with the model's files, complete and checked; downloads them first if they are not here.

    ``name`` is an entry of the registry or a folder of one's own (taken as it is). Safe when several processes ask
    at once; a killed download leaves nothing that could be mistaken for weights. ``progress`` shows the bars; None
    draws them on standard error. Raises ``FatalError`` naming both sums where a checksum differs, and the causes
    and the remedy where no source can be reached.
    """
    if _is_folder(name):
        return _check_own(Path(name))
    entry = find(name)
    folder = locate(entry, cache)
    if _is_stamped(entry, folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                _download(entry, folder, progress)
            elif not _is_stamped(entry, folder):
                _check(entry, folder)
                _stamp(entry, folder)
    except OSError as error:
        raise FatalError(
            f"the model {name} cannot be kept in {folder.parent}: {error}; "
            "make room there, or set UNDERTONE_CACHE to another folder"
        ) from error
    return folder


def verify(name: str, cache: Path) -> None:
    """Return if every byte of the model is as registered, else raise ``FatalError`` naming both sums."""
    entry = find(name)
    folder = locate(entry, cache)
    if not folder.exists():
        raise FatalError(f"the model {name} is not here yet: fetch it with `undertone models fetch {name}`")
    _check(entry, folder)


def is_here(entry: Entry, cache: Path) -> bool:
    """Whether the model has been fetched and checked before."""
    return _is_stamped(entry, locate(entry, cache))


def locate(entry: Entry, cache: Path) -> Path:
    """Where the entry's files lie under ``cache``, fetched or not."""
    return cache / "models" / f"{entry.kind}-{entry.name}-{entry.sha256[:8]}"


def describe(name: str, folder: Path) -> Weights:
    """The label and checksum of what ``fetch(name)`` gave. Reads the main file of a folder of one's own."""
    if _is_folder(name):
        return Weights(folder.name, checksum(folder / NEEDED[0]))
    entry = find(name)
    return Weights(entry.name, entry.sha256)


def checksum(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_folder(name: str) -> bool:
    return Path(name).is_dir()


def _check_own(folder: Path) -> Path:
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise FatalError(
            f"the folder {folder} is no CTranslate2 Whisper model: it lacks {', '.join(missing)}; "
            "set UNDERTONE_WHISPER_MODEL to another, or to a name from `undertone models list`"
        )
    return folder


def _download(entry: Entry, folder: Path, progress: Progress | None) -> None:
    from models.weights.sources import SourceError, download

    failures = []
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as scratch:
        for number, source in enumerate(entry.sources):
            taken = Path(scratch, f"source-{number}")
            taken.mkdir()
            try:
                if progress is None:
                    with show_bars() as bars:
                        download(entry, source, taken, bars)
                else:
                    download(entry, source, taken, progress)
            except SourceError as error:
                failures.append(str(error))
                continue
            _check(entry, taken)
            ready = Path(scratch, "ready")
            ready.mkdir()
            for file in entry.files:
                (taken / file.name).replace(ready / file.name)
            _stamp(entry, ready)
            ready.replace(folder)
            return
    raise FatalError(
        f"the model {entry.name} cannot be downloaded: {'; '.join(failures)}. Connect to the network and start again, "
        "or set UNDERTONE_WHISPER_MODEL to a folder that has the files"
    )


def _check(entry: Entry, folder: Path) -> None:
    for file in entry.files:
        path = folder / file.name
        if not path.is_file():
            raise FatalError(f"the model file {path} is missing: delete the folder {folder} and start again")
        found = checksum(path)
        if found != file.sha256:
            raise FatalError(
                f"the model file {path} is not the registered one: its SHA-256 is {found}, it should be {file.sha256}; "
                f"delete the folder {folder} and start again, or set another model"
            )


def _stamp(entry: Entry, folder: Path) -> None:
    stamp = {file.name: _trace(file, folder) for file in entry.files}
    draft = folder / f"{STAMP}.new"
    draft.write_text(json.dumps(stamp, indent=1))
    draft.replace(folder / STAMP)


def _is_stamped(entry: Entry, folder: Path) -> bool:
    try:
        stamp = json.loads((folder / STAMP).read_bytes())
        return bool(stamp == {file.name: _trace(file, folder) for file in entry.files})
    except (OSError, ValueError):
        return False


def _trace(file: File, folder: Path) -> dict[str, int | str]:
    status = (folder / file.name).stat()
    return {"size_bytes": status.st_size, "modified_ns": status.st_mtime_ns, "sha256": file.sha256}


def show_bars() -> Progress:
    """Bars on standard error, gone when it is done."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
