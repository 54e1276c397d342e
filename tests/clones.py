"""A clone of this project with an environment of its own, as `make` would set it up, made without a network."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def make_clone(folder: Path, python: Path) -> None:
    """Put the project's files as they are now into ``folder``, and beside them ``.venv`` with our packages."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in filter(None, subprocess.check_output(listed, cwd=ROOT, text=True).split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    subprocess.run([python, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    (packages,) = folder.glob(".venv/lib/python3*/site-packages")
    shutil.rmtree(packages)
    ours = next(Path(path) for path in sys.path if Path(path).name == "site-packages")
    link_tree(ours, packages)
    install = [str(folder / ".venv/bin/python"), "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--no-index", "--editable", str(folder)], check=True, env={"PATH": os.environ["PATH"]})
    (folder / ".venv" / ".ready").touch()


def link_tree(source: Path, target: Path) -> None:
    """The same files in another folder: linked where that goes, since nobody changes them in place."""

    def take(one: str, other: str) -> str:
        try:
            os.link(one, other)
        except OSError:
            shutil.copy2(one, other)
        return other

    shutil.copytree(source, target, copy_function=take)


def python_for_everybody() -> Path | None:
    """A Python of our own version that other users can run."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = [Path(sys.executable).resolve(), *(Path(folder) / name for folder in ("/usr/local/bin", "/usr/bin"))]
    return next((path for path in found if path.exists() and _is_open(path.resolve())), None)


def _is_open(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))
