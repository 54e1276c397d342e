"""Any classifier of the Hugging Face hub at one commit: its weights as safetensors, its tokenizer, its card.

A model that people name themselves stands in no registry of ours, so what pins it is the commit, and the checksums are
those that the hub keeps of its large files. No file that could run code is fetched (pickles, Python).
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import httpx
from filelock import FileLock
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from huggingface_hub.hf_api import RepoSibling
from rich.progress import Progress

from models.weights.fetch import checksum, show_bars
from models.weights.registry import Hub
from models.weights.sources import HUB_ANSWERS_WITHIN_S, bar_of
from undertone.errors import FatalError

WANTED = {".json", ".txt", ".model", ".md", ".safetensors"}


def fetch_from_hub(model: Hub, cache: Path, *, progress: Progress | None = None) -> Path:
    """The folder with the model's files; downloads them first if they are not here.

    Safe when several processes ask at once; a killed download leaves nothing that could be mistaken for a model.
    Raises ``FatalError`` with cause and remedy where it cannot be had, or has no safetensors.
    """
    folder = locate(model, cache)
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as scratch:
                    _download(model, Path(scratch, "files"), progress).replace(folder)
    except (OSError, httpx.HTTPError, HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        cause = str(error).strip().partition("\n")[0] or type(error).__name__
        raise FatalError(
            f"the sentiment model {model.repository} at {model.revision} cannot be had from the Hugging Face hub: "
            f"{cause}. Connect to the network and start again, or set UNDERTONE_SENTIMENT_MODEL to a folder that has "
            "its files, or to another model"
        ) from error
    return folder


def is_here(model: Hub, cache: Path) -> bool:
    """Whether the model has been fetched before."""
    return locate(model, cache).is_dir()


def locate(model: Hub, cache: Path) -> Path:
    """Where the model's files lie under ``cache``, fetched or not."""
    return cache / "models" / f"sentiment-{model.repository.replace('/', '--')}-{model.revision}"


def _download(model: Hub, folder: Path, progress: Progress | None) -> Path:
    if progress is None:
        with show_bars() as bars:
            return _download(model, folder, bars)
    about = HfApi().model_info(
        model.repository, revision=model.revision, timeout=HUB_ANSWERS_WITHIN_S, files_metadata=True
    )
    files = _choose(about.siblings or [], model)
    task = progress.add_task(model.repository, total=sum(file.size or 0 for file in files))
    for file in files:
        hf_hub_download(
            model.repository,
            file.rfilename,
            revision=model.revision,
            local_dir=folder,
            tqdm_class=bar_of(progress, task),
        )
        found = checksum(folder / file.rfilename)
        if file.lfs is not None and file.lfs.sha256 != found:
            raise OSError(f"{file.rfilename} came with the SHA-256 {found}, it should be {file.lfs.sha256}")
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the client's own notes
    return folder


def _choose(files: Sequence[RepoSibling], model: Hub) -> list[RepoSibling]:
    """What the model needs of its repository; folders in it hold other forms of the same weights."""
    chosen = [file for file in files if "/" not in file.rfilename and Path(file.rfilename).suffix in WANTED]
    if not any(file.rfilename.endswith(".safetensors") for file in chosen):
        raise FatalError(
            f"the sentiment model {model.repository} at {model.revision} has no weights as safetensors, and other "
            "forms can run code when they are loaded: set UNDERTONE_SENTIMENT_MODEL to a commit that has them "
            "(the hub converts many in a pull request of its own), or to another model"
        )
    return sorted(chosen, key=lambda file: file.size or 0)
