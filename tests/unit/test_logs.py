"""What the log shows of libraries, in a process of its own, since logging is set up once per process."""

import subprocess
import sys

import pytest

SPEAKING = """
import logging, sys
from undertone.logs import configure_logs

configure_logs("web", sys.argv[1])
for name in ("aiokafka.conn", "uvicorn.error", "websockets.client", "httpx", "httpcore.connection"):
    for level in (logging.DEBUG, logging.INFO):
        logging.getLogger(name).log(level, "%s says GET /v1/sessions?token=secret", name)
    logging.getLogger(name).warning("%s warns", name)
"""


@pytest.mark.parametrize(("level", "shown"), [("info", set()), ("debug", {"aiokafka.conn"})])
def test_what_tells_addresses_is_quiet_at_any_level(level: str, shown: set[str]) -> None:
    lines = subprocess.run(
        [sys.executable, "-c", SPEAKING, level], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {line.split()[4] for line in lines if "token" in line} == shown
    assert len([line for line in lines if line.endswith("warns")]) == 5
