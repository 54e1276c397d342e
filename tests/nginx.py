"""A real nginx in front of a web, below a path prefix, as docs/operating.md shows it."""

import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.waiting import until
from undertone.local.ports import LOOPBACK

START_S = 20
_USER = "user root;" if os.geteuid() == 0 else ""
_CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  server {{
    listen {host}:{port};
    location / {{ return 200 'another site'; }}
    location {prefix}/ {{
      proxy_pass {url}/;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_buffering off;
      proxy_read_timeout 1h;
    }}
  }}
}}
"""


@asynccontextmanager
async def nginx(folder: Path, url: str, port: int, prefix: str) -> AsyncIterator[str]:
    """The address of ``url`` behind nginx, for the block."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    assert Path(program).exists(), "this test needs nginx: apt-get install nginx-light"
    folder.mkdir()
    file = folder / "nginx.conf"
    given = {"folder": folder, "user": _USER, "host": LOOPBACK, "port": port, "prefix": prefix, "url": url}
    file.write_text(_CONFIGURATION.format(**given), encoding="utf-8")
    process = subprocess.Popen([program, "-c", str(file), "-p", str(folder)], stderr=subprocess.DEVNULL)
    try:

        def listens() -> bool:
            assert process.poll() is None, (folder / "error.log").read_text(encoding="utf-8")
            with socket.socket() as probe:
                return probe.connect_ex((LOOPBACK, port)) == 0

        await until(listens, START_S, "nginx listens")
        yield f"http://{LOOPBACK}:{port}{prefix}"
    finally:
        process.terminate()
        process.wait(START_S)
