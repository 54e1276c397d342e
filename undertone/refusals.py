"""Every error of either side has the one JSON of ``Refusal.body()``."""

import asyncio
import logging
from contextlib import suppress

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from undertone.errors import Refusal

log = logging.getLogger(__name__)

LINGER_S = 5.0


class LingeringResponse(JSONResponse):
    """A complete answer to a request whose body may still be coming, perhaps without end.

    What comes is thrown away for a while before the connection closes: closing at once would reset it, and a client
    that is still sending would never see the answer.
    """

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, then read on until the body ends, the client hangs up, or time is over."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while (await receive()).get("more_body"):
                    pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def answer(refusal: Refusal) -> Response:
    """The response to a refused request. It ends the connection."""
    headers = {"Connection": "close", "Cache-Control": "no-store"}
    if refusal.retry_after_ms is not None:
        headers["Retry-After"] = str(-(-refusal.retry_after_ms // 1000))
    return LingeringResponse(refusal.body(), status_code=refusal.status, headers=headers)


async def refuse_socket(socket: WebSocket, refusal: Refusal) -> None:
    """Say why, then close with the refusal's code; it is accepted for that, since browsers tell pages nothing else."""
    with suppress(WebSocketDisconnect):
        if socket.application_state is WebSocketState.CONNECTING:
            await socket.accept()
        await socket.send_json(refusal.body())
        await socket.close(refusal.close_code, refusal.code)


def handle_refusals(app: FastAPI) -> None:
    """Make ``app`` answer each kind of error with that JSON."""

    @app.exception_handler(Refusal)
    async def refused(connection: HTTPConnection, error: Refusal) -> Response | None:
        if isinstance(connection, WebSocket):
            await refuse_socket(connection, error)
            return None
        return answer(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        wrong = "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in error.errors())
        return answer(Refusal("request_invalid", f"the request is wrong: {wrong}", status=422))

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> Response:
        where = f"{request.method} {request.url.path}"
        if error.status_code == 405:
            return answer(Refusal("method_unknown", f"{where}: this address takes other methods", status=405))
        if error.status_code == 404:
            return answer(Refusal("address_unknown", f"{where}: there is nothing at this address", status=404))
        return answer(Refusal("refused", f"{where}: {error.detail}", status=error.status_code))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return answer(Refusal("internal", "this is a fault of the server: its log says more; try again", status=500))
