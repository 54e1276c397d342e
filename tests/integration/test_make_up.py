"""`make up` in a clone of one's own: as root in root's closed folder, and as an ordinary user."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clones import link_tree, make_clone, python_for_everybody
from tests.waiting import until
from undertone.local.jars import jars_folder
from undertone.local.ports import free_ports
from undertone.settings import Settings

START_S = 300
STOP_S = 30
NOBODY = 65534


@contextmanager
def make_up(clone: Path, home: Path, cache: Path, become: Sequence[str] = ()) -> Iterator[Path]:
    """The output of `make up` in the clone, with ``home`` as the user's home folder, for the block."""
    (port,) = free_ports(1)
    output = clone.parent / "make.out"
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "UNDERTONE_CACHE": str(cache)}
    command = [*become, "make", "up", f"ARGS=--port {port}"]
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        yield output
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(STOP_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert "stopped after" in output.read_text()


async def is_ready(output: Path) -> None:
    def ready() -> bool:
        text = output.read_text()
        assert "Error" not in text.partition("make: ***")[2], text
        return "ready" in text and "log in" in text

    try:
        await until(ready, START_S, "up is ready")
    except AssertionError:
        pytest.fail(output.read_text())


@pytest.mark.skipif(os.geteuid() != 0, reason="the fault is root's")
async def test_root_starts_a_clone_in_its_closed_folder_twice(tmp_path: Path) -> None:
    home = tmp_path / "home of root"
    home.mkdir(mode=0o700)
    make_clone(home / "클론, a=b", Path(sys.executable))
    for _ in range(2):
        with make_up(home / "클론, a=b", home, Settings().cache) as output:
            await is_ready(output)
    state = home / ".local" / "share" / "undertone"
    nobody = pwd.getpwnam("nobody").pw_uid
    assert nobody not in {path.lstat().st_uid for path in state.iterdir()}
    assert (state / "kafka" / "log").is_dir()


async def test_an_ordinary_user_starts_a_clone(kafka_jars: Path) -> None:
    if (python := python_for_everybody()) is None:
        pytest.skip("no Python here that an ordinary user can run")
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    if become and shutil.which("setpriv") is None:
        pytest.skip("setpriv (util-linux) is needed to become an ordinary user")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        make_clone(folder / "clone", python)
        cache = folder / "cache"
        link_tree(kafka_jars, jars_folder(cache))
        link_tree(Settings().cache / "models", cache / "models")
        home = folder / "home"
        home.mkdir(mode=0o700)
        if become:
            for path in (home, cache, cache / "models"):
                os.chown(path, NOBODY, NOBODY)
        with make_up(folder / "clone", home, cache, become) as output:
            await is_ready(output)
        state = home / ".local" / "share" / "undertone"
        owner = NOBODY if become else os.geteuid()
        assert {path.lstat().st_uid for path in state.rglob("*")} == {owner}
