"""A sentiment model that cannot judge stops the worker at its start, with the setting to change."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.test_sentiment_engines import HAS_TORCH
from tests.hub_folders import write_model
from undertone.local.environment import kafka_environment
from undertone.settings import Settings


def start(settings: Settings, sentiment_model: str) -> subprocess.CompletedProcess[str]:
    """``undertone worker classifier``, which has to stop by itself."""
    environment = {
        **os.environ,
        **kafka_environment(settings),
        "UNDERTONE_HOME": str(settings.home),
        "UNDERTONE_TOPIC_PREFIX": settings.topic_prefix,
        "UNDERTONE_SENTIMENT_MODEL": sentiment_model,
    }
    command = [sys.executable, "-m", "undertone.cli", "worker", "classifier"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)


def told(run: subprocess.CompletedProcess[str]) -> str:
    """The message it stopped with, on one line."""
    assert run.returncode == 1, run.stderr
    assert "Traceback" not in run.stderr
    return " ".join(run.stderr.split())


async def test_a_model_that_is_not_there_or_not_whole(topics: Settings, tmp_path: Path) -> None:
    missing = told(start(topics, str(tmp_path / "missing")))
    assert "no folder is at that path: set UNDERTONE_SENTIMENT_MODEL" in missing
    for name in ("card.json", "model.onnx", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"{")
    corrupt = told(start(topics, f"vader {tmp_path}"))
    assert "UNDERTONE_SENTIMENT_MODEL" in corrupt
    assert str(tmp_path) in corrupt


@pytest.mark.torch
@pytest.mark.skipif(not HAS_TORCH, reason="needs the extra torch: make test-torch")
async def test_a_model_whose_labels_cannot_be_mapped(topics: Settings, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model", ("LABEL_0", "LABEL_1"))
    message = told(start(topics, str(folder)))
    assert "are LABEL_0, LABEL_1" in message
    assert "set UNDERTONE_SENTIMENT_MODEL to that folder" in message
