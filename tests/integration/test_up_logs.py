"""A normal start, use, restart of a part and stop write no warning and no error into any log of the home."""

import asyncio
import re
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.clips import SPEECH
from tests.integration.test_up import START_S, STOP_S, Running, up
from undertone.cli import app
from undertone.local.ports import LOOPBACK, free_ports

TROUBLE = re.compile(r"\b(WARN|WARNING|ERROR|CRITICAL|FATAL|PANIC|Traceback)\b")


def troubles(home: Path, running: Running) -> list[str]:
    """Every line of all logs, and of what ``up`` printed, that tells of trouble."""
    logs = sorted((home / "logs").iterdir())
    assert {"kafka.log", "postgres.log", "web.log", "transcriber.log", "archivist.log"} <= {log.name for log in logs}
    return [
        f"{log.name}: {line}"
        for log in [*logs, running.output]
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if TROUBLE.search(line)
    ]


async def say(home: Path, port: int) -> None:
    """Stream one spoken file, as a user does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNDERTONE_HOME", str(home))
        words = ["stream", str(SPEECH / "LJ001-0008.flac"), "--speed", "max", "--language", "en"]
        done = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--url", f"http://{LOOPBACK}:{port}"])
    assert done.exit_code == 0, done.output
    assert "1 utterance" in done.output


async def stop(running: Running, number: signal.Signals) -> None:
    family = running.family()
    running.process.send_signal(number)
    await running.until_gone(family, STOP_S + 5)
    assert running.process.returncode == 0


async def test_a_normal_run_logs_neither_warning_nor_error(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (port,) = free_ports(1)
    with up(home, port) as running:
        await running.until_printed("log in", START_S)
        await say(home, port)
        await stop(running, signal.SIGTERM)
        assert troubles(home, running) == []

    with up(home, port) as running:  # on the home of the first run, with a part that is started anew
        await running.until_printed("log in", START_S)
        for words, part in (("worker", "classifier"), ("worker", "transcriber"), ("serve", "all")):
            name = "web" if part == "all" else part
            running.part(words, part).terminate()
            await running.until_printed(f"{name:<12} ready", START_S, times=2)
        await say(home, port)
        await stop(running, signal.SIGINT)
        assert troubles(home, running) == []
