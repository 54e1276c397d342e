"""`undertone up` wherever its folders lie, and whatever the shell that starts it has set."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.clones import link_tree
from tests.integration.test_up import START_S, STOP_S, environment, up
from undertone.local.jars import jars_folder
from undertone.local.ports import LOOPBACK, free_ports
from undertone.settings import Settings

ODD = "회의 a,b=c:d %20$x"
SPEECH = Path(__file__).parents[1] / "data" / "speech" / "jfk.flac"
NOBODY_LISTENS = "http://127.0.0.1:9"
PROXIES = {
    name: proxy
    for upper, proxy in (("HTTP_PROXY", NOBODY_LISTENS), ("HTTPS_PROXY", NOBODY_LISTENS), ("ALL_PROXY", "socks5://h:9"))
    for name in (upper, upper.lower())
}
SHELL = {
    "LC_ALL": "POSIX",
    "HOME": "/nonexistent",
    "PGSSLMODE": "require",
    "PGSERVICE": "cloud",
    "PGCLIENTENCODING": "LATIN1",
    "PGDATESTYLE": "SQL, DMY",
    "PGTZ": "Asia/Seoul",
    "PGHOST": "database.example.org",
    "JAVA_TOOL_OPTIONS": "-Xmx1m",
    "NO_PROXY": "127.0.0.0/8",
    **PROXIES,
}


def run(home: Path, *command: str, **given: str) -> subprocess.CompletedProcess[bytes]:
    """A command of ours in the same shell; its output is UTF-8."""
    variables = environment(**SHELL, UNDERTONE_HOME=str(home), PYTHONIOENCODING="utf-8", **given)
    return subprocess.run(
        [sys.executable, "-m", "undertone.cli", *command], env=variables, capture_output=True, check=False, timeout=120
    )


async def test_names_locale_proxies_and_variables_of_others_do_not_matter(tmp_path: Path, kafka_jars: Path) -> None:
    place = tmp_path / ODD
    cache = place / "cache"
    link_tree(kafka_jars, jars_folder(cache))
    link_tree(Settings().cache / "models", cache / "models")
    home = place / "home,1"
    (port,) = free_ports(1)
    url = f"http://{LOOPBACK}:{port}"
    before = os.umask(0o077)
    try:
        for sessions in (1, 2):
            with up(home, port, {**SHELL, "UNDERTONE_CACHE": str(cache)}) as running:
                await running.until_printed(url, START_S)
                sent = run(home, "stream", "--speed", "max", "--url", url, str(SPEECH))
                assert sent.returncode == 0, sent.stderr.decode()
                listed = run(home, "sessions", "--url", url)
                assert listed.returncode == 0, listed.stderr.decode()
                assert listed.stdout.count(b"jfk") == sessions
                family = running.family()
                running.process.send_signal(signal.SIGTERM)
                await running.until_gone(family, STOP_S + 5)
    finally:
        os.umask(before)
    assert (home / "kafka" / "log" / "meta.properties").exists()
    assert {path.name for path in tmp_path.iterdir()} == {ODD}
    assert {path.name for path in place.iterdir()} == {"cache", "home,1", "up.out"}


def under(wrapper: list[str], home: Path, given: Mapping[str, str] | None = None) -> str:
    """What `undertone up` says on standard error, started by a wrapper; it has to refuse."""
    command = [*wrapper, sys.executable, "-m", "undertone.cli", "up", "--port", "0", "--home", str(home)]
    done = subprocess.run(
        command, env=environment(**(given or {})), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1, done.stderr
    return done.stderr


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root has rights to lose")
@pytest.mark.parametrize(
    ("lost", "said"),
    [("-setuid", "root may not become another user here"), ("-setpcap", "only root may enter")],
)
def test_root_without_its_rights_is_refused_before_anything_is_written(tmp_path: Path, lost: str, said: str) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    error = under(["setpriv", f"--bounding-set={lost}"], closed / "home")
    assert said in error
    assert len(error.strip().splitlines()) == 1
    assert list(closed.iterdir()) == []


def test_a_name_that_is_no_text_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    error = under([], tmp_path / os.fsdecode(b"\xff"))
    assert "is not UTF-8" in error
    assert len(error.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


STARTS = """
import asyncio, sys
from pathlib import Path
import psycopg
from undertone.local.postgres import EmbeddedPostgres

async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]))
    for _ in range(2):
        await server.start()
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t AS SELECT * FROM generate_series(1, 100000) AS n")
            connection.execute("SET debug_parallel_query = on")
            print(connection.execute("SELECT count(*) FROM t").fetchone()[0])
        await server.stop()

asyncio.run(main())
"""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="only root may mount")
def test_postgres_works_with_almost_no_shared_memory(tmp_path: Path) -> None:
    small = 'mount -t tmpfs -o size=64k none /dev/shm || exit 77; exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", small, "sh", sys.executable, "-c", STARTS, str(tmp_path / "home")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("mounting is not allowed here")
    assert done.stdout.split() == ["100000", "100000"], done.stderr
