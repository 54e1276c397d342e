"""As much of the Hugging Face hub as its own client needs for one model at one commit, on this machine."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def hub(files: dict[str, bytes], sums: dict[str, str] | None = None) -> Iterator[str]:
    """A hub that holds one model at one commit; its address. ``sums`` are what it says of large files."""
    known = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} | (sums or {})

    class PretendHub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == f"/api/models/nobody/pretend/revision/{COMMIT}":
                listed = [describe(name) for name in files]
                self.answer(json.dumps({"id": "nobody/pretend", "sha": COMMIT, "siblings": listed}).encode())
            elif path.startswith(resolved := f"/nobody/pretend/resolve/{COMMIT}/") and path[len(resolved) :] in files:
                self.answer(files[path.removeprefix(resolved)])
            else:
                self.send_error(404)

        do_HEAD = do_GET  # noqa: N815

        def answer(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    def describe(name: str) -> dict[str, object]:
        size = len(files[name])
        large = {"lfs": {"sha256": known[name], "size": size, "pointerSize": 130}} if name.endswith("tensors") else {}
        return {"rfilename": name, "size": size, "blobId": "0" * 40, **large}

    with ThreadingHTTPServer(("127.0.0.1", 0), PretendHub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
