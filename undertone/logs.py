"""One shape of log for every part: plain lines on standard output with time, level and part."""

import logging
import sys
import time

QUIET = ("aiokafka", "faust", "mode", "alembic", "faster_whisper", "asyncio")
SECRETIVE = ("uvicorn", "websockets", "httpx", "httpcore")
"""What tells addresses: tokens are in them."""


def configure_logs(part: str, level: str) -> None:
    """Send every logger's lines of at least ``level`` to standard output; libraries only from warnings on.

    ``level`` debug shows the libraries too, but for those that tell addresses. To be called once, before anything logs.
    """
    line = logging.Formatter(
        f"%(asctime)s.%(msecs)03dZ %(levelname)s {part} %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    line.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(line)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    for name in SECRETIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
