"""Models of the hub, by the hub's own client from a local hub, through the command that people use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.sentiment import load_engines
from models.weights.hub import fetch_from_hub, is_here, locate
from models.weights.registry import Hub
from tests.contract.test_sentiment_engines import HAS_TORCH
from tests.hub_folders import write_model
from tests.pretend_hub import COMMIT, hub

NAME = f"hf:nobody/pretend@{COMMIT}"
NOWHERE = "http://127.0.0.1:9"

FILES = {
    "config.json": b"{}",
    "README.md": b"---\nlanguage: en\n---\n",
    "tokenizer.json": b"{}",
    "model.safetensors": b"pretend weights, " * 5000,
    "pytorch_model.bin": b"a pickle",
    "modeling_own.py": b"raise SystemExit",
    "onnx/model.safetensors": b"another form",
}
WANTED = {"config.json", "README.md", "tokenizer.json", "model.safetensors"}


def fetch(cache: Path, endpoint: str, name: str = NAME) -> subprocess.CompletedProcess[str]:
    """``undertone models fetch``; the hub's client reads where the hub is when it is imported."""
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1", "UNDERTONE_CACHE": str(cache)}
    command = [sys.executable, "-m", "undertone.cli", "models", "fetch", name]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)


def test_what_a_model_needs_is_fetched_once_and_nothing_that_could_run(tmp_path: Path) -> None:
    model = Hub("nobody/pretend", COMMIT)
    folder = locate(model, tmp_path)
    with hub(FILES) as endpoint:
        run = fetch(tmp_path, endpoint)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == f"{NAME}: {folder}"
    assert {str(path.relative_to(folder)) for path in folder.rglob("*")} == WANTED
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert is_here(model, tmp_path)
    assert fetch_from_hub(model, tmp_path) == folder  # with that hub away


@pytest.mark.parametrize(
    ("files", "sums", "told"),
    [
        (FILES, {"model.safetensors": "a" * 64}, f"it should be {'a' * 64}"),
        ({"config.json": b"{}", "pytorch_model.bin": b"a pickle"}, {}, "no weights as safetensors"),
    ],
    ids=["checksum", "pickle"],
)
def test_what_cannot_be_trusted_is_not_kept(
    files: dict[str, bytes], sums: dict[str, str], told: str, tmp_path: Path
) -> None:
    with hub(files, sums) as endpoint:
        run = fetch(tmp_path, endpoint)
    assert run.returncode == 1
    message = " ".join(run.stderr.split())
    assert told in message
    assert "UNDERTONE_SENTIMENT_MODEL" in message
    assert not is_here(Hub("nobody/pretend", COMMIT), tmp_path)
    assert [path.name for path in (tmp_path / "models").iterdir() if path.is_dir()] == []


def test_a_commit_that_is_not_there_and_a_hub_that_is_away_are_told(tmp_path: Path) -> None:
    with hub(FILES) as endpoint:
        runs = [fetch(tmp_path, endpoint, f"hf:nobody/pretend@{'f' * 40}"), fetch(tmp_path, NOWHERE)]
    for run in runs:
        assert run.returncode == 1
        assert "Connect to the network" in " ".join(run.stderr.split())


@pytest.mark.torch
@pytest.mark.skipif(not HAS_TORCH, reason="needs the extra torch: make test-torch")
def test_a_model_of_the_hub_judges_under_its_name_and_commit(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "written", ("1 star", "2 stars", "3 stars", "4 stars", "5 stars"))
    with hub({path.name: path.read_bytes() for path in folder.iterdir()}) as endpoint:
        run = fetch(tmp_path / "cache", endpoint)
    assert run.returncode == 0, run.stderr
    engines = load_engines(f"{NAME}[en] vader", tmp_path / "cache")
    assert [engine.name for engine in engines] == ["nobody/pretend@01234567", "vader@3.3.2"]
    assert engines[0].languages == {"en"}
    sentiment = engines[0].classify("I love this")
    assert sentiment is not None
    assert (sentiment.label, sentiment.model) == ("positive", "nobody/pretend@01234567")
