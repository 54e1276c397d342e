"""Every error of the read side has the one JSON of ``Refusal.body()``; a page that is not there, a line of text."""

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from undertone.errors import PoisonError, Refusal, TransientError

log = logging.getLogger(__name__)

AWAY_RETRY_MS = 2000


def handle_refusals(app: FastAPI) -> None:
    """Make ``app`` answer each kind of error so."""

    @app.exception_handler(Refusal)
    async def refused(_: Request, error: Refusal) -> Response:
        return _answer(error)

    @app.exception_handler(TransientError)
    async def away(_: Request, error: TransientError) -> Response:
        words = f"the history cannot be read now ({error}); the live view goes on"
        return _answer(Refusal("history_away", words, status=503, retryable=True, retry_after_ms=AWAY_RETRY_MS))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        wrong = "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in error.errors())
        return _answer(Refusal("request_invalid", f"the request is wrong: {wrong}", status=422))

    @app.exception_handler(PoisonError)
    async def impossible(_: Request, error: PoisonError) -> Response:
        return _answer(Refusal("request_invalid", f"the request holds a value that cannot be: {error}", status=422))

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> Response:
        where = f"{request.method} {request.url.path}"
        if not request.url.path.startswith("/v1/"):
            return PlainTextResponse(f"{where}: {error.detail}", error.status_code)
        if error.status_code == 405:
            return _answer(Refusal("method_unknown", f"{where}: this address takes other methods", status=405))
        return _answer(Refusal("address_unknown", f"{where}: there is nothing at this address", status=404))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return _answer(Refusal("internal", "this is a fault of the server: its log says more; try again", status=500))


def _answer(refusal: Refusal) -> JSONResponse:
    wait = {} if refusal.retry_after_ms is None else {"retry-after": str(-(-refusal.retry_after_ms // 1000))}
    return JSONResponse(refusal.body(), refusal.status, {"cache-control": "no-store", **wait})
