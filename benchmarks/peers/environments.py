"""An environment for each peer, with what its server needs; under the cache, never in the repository.

Peers ask for torch, which is 6 GB with what it brings. What only their other parts need (a microphone, other engines,
a graphics card's compiler) is left out where they can do without.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from undertone.errors import FatalError


@dataclass(frozen=True)
class Environment:
    """What is installed: ``packages`` as they are, then ``needs`` with all that they need in turn."""

    name: str
    packages: tuple[str, ...]
    needs: tuple[str, ...]

    def locate(self, cache: Path) -> Path:
        """Where it is, set up or not."""
        return cache / "peers" / self.name

    def python(self, cache: Path) -> Path:
        """Its interpreter. Raises ``FatalError`` where it is not set up."""
        python = self.locate(cache) / "bin" / "python"
        if not _stamp(self, cache).exists():
            raise FatalError(
                f"{self.name} is not set up: run `python -m benchmarks.peers install {self.name}` (6 GB, two minutes)"
            )
        return python


ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        # Its server uses no more; its client wants PyAudio, its other engines OpenVINO and CUDA.
        Environment(
            "whisperlive",
            ("whisper-live==0.10.0",),
            (
                "torch==2.15.0",
                "faster-whisper==1.2.0",
                "tokenizers==0.20.3",
                "numpy<2.5",
                "scipy",
                "websockets",
                "fastapi",
                "uvicorn",
                "python-multipart",
            ),
        ),
        # Without onnxruntime it loads its voice activity anew for each session, as it says itself.
        Environment("whisperlivekit", (), ("whisperlivekit==0.2.26", "torch==2.15.0", "onnxruntime")),
    )
}


def install(environment: Environment, cache: Path) -> Path:
    """Set the environment up anew; its folder. Raises ``FatalError`` if pip fails."""
    folder = environment.locate(cache)
    shutil.rmtree(folder, ignore_errors=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    steps = [[sys.executable, "-m", "venv", str(folder)]]
    if environment.packages:
        steps.append([*pip, "--no-deps", *environment.packages])
    steps.append([*pip, *environment.needs])
    for step in steps:
        if subprocess.run(step, check=False).returncode != 0:
            raise FatalError(f"{environment.name} cannot be set up: {' '.join(step)} failed, see above")
    _stamp(environment, cache).touch()
    return folder


def _stamp(environment: Environment, cache: Path) -> Path:
    return environment.locate(cache) / ".ready"
