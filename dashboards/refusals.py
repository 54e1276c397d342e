"""What the history's errors are to a caller."""

import logging

from fastapi import FastAPI, Request, Response

from undertone.errors import PoisonError, Refusal, TransientError
from undertone.refusals import answer

log = logging.getLogger(__name__)

AWAY_RETRY_MS = 2000


def handle_history_errors(app: FastAPI) -> None:
    """Make ``app`` answer an absent database, and values that no database takes, as refusals."""

    @app.exception_handler(TransientError)
    async def away(_: Request, error: TransientError) -> Response:
        log.warning("the history cannot be read: %s", error)  # where it stands is nobody else's business
        words = "the history cannot be read now, while PostgreSQL is away or slow; the live view goes on"
        return answer(Refusal("history_away", words, status=503, retryable=True, retry_after_ms=AWAY_RETRY_MS))

    @app.exception_handler(PoisonError)
    async def impossible(_: Request, error: PoisonError) -> Response:
        return answer(Refusal("request_invalid", f"the request holds a value that cannot be: {error}", status=422))
