"""Waits at the start of a part for a Kafka that starts beside it: that is no fault until it takes too long."""

import asyncio
import contextlib
import logging
import time

from aiokafka.conn import collect_hosts

from undertone.settings import Settings

log = logging.getLogger(__name__)

STARTS_WITHIN_S = 30.0
_CONNECT_WITHIN_S = 5.0
_POLL_S = 0.2


async def wait_for_kafka(settings: Settings, within_s: float = STARTS_WITHIN_S) -> bool:
    """Return True once a broker accepts connections, or False after ``within_s``; then a warning says why.

    aiokafka logs an error for each connection that is refused, so open no client before. A caller goes on in both
    cases: its own retries report each failure.
    """
    deadline_s = time.monotonic() + within_s
    has_waited = False
    while (cause := await _why_not_reached(settings)) is not None:
        if time.monotonic() >= deadline_s:
            log.warning(
                "Kafka at %s has accepted no connection for %.0f s (%s): start it, or check UNDERTONE_KAFKA",
                settings.brokers(),
                within_s,
                cause,
            )
            return False
        if not has_waited:
            log.info("waiting up to %.0f s for Kafka at %s to start", within_s, settings.brokers())
            has_waited = True
        log.debug("no connection to Kafka yet: %s", cause)
        await asyncio.sleep(_POLL_S)
    return True


async def _why_not_reached(settings: Settings) -> str | None:
    """None if any broker accepts a connection, else what the last one did."""
    cause = "no broker is named"
    for host, port, _ in collect_hosts(settings.brokers()):
        try:
            async with asyncio.timeout(_CONNECT_WITHIN_S):
                _, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError) as error:
            cause = f"{host}:{port}: {str(error) or type(error).__name__}"
            continue
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return None
    return cause
