"""An environment for each peer, pinned in the file of its name beside this one; under the cache, not in the repository.

Both peers need torch, which is 6 GB with what it brings.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from undertone.errors import FatalError

PINS = {path.stem: path for path in Path(__file__).parent.glob("*.txt")}


def locate(name: str, cache: Path) -> Path:
    """The folder of an environment, set up or not."""
    return cache / "peers" / name


def find_python(name: str, cache: Path) -> Path:
    """The interpreter of an environment. Raises ``FatalError`` where it is not set up."""
    if not _stamp(name, cache).exists():
        raise FatalError(f"{name} is not set up: run `python -m benchmarks.peers install {name}` (6 GB, two minutes)")
    return locate(name, cache) / "bin" / "python"


def install(name: str, cache: Path) -> Path:
    """Set an environment up anew; its folder. Raises ``FatalError`` if pip fails."""
    remove(name, cache)
    folder = locate(name, cache)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    for step in ([sys.executable, "-m", "venv", str(folder)], [*pip, "--no-deps", "--requirement", str(PINS[name])]):
        if subprocess.run(step, check=False).returncode != 0:
            raise FatalError(f"{name} cannot be set up: `{' '.join(step)}` failed, see above")
    _stamp(name, cache).touch()
    return folder


def remove(name: str, cache: Path) -> None:
    """Give the disk back."""
    shutil.rmtree(locate(name, cache), ignore_errors=True)


def _stamp(name: str, cache: Path) -> Path:
    return locate(name, cache) / ".ready"
