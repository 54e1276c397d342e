"""Answers HEAD wherever GET is answered: the same status and headers, after the same checks, and no body."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadRequests:
    """Wraps an app. A HEAD is a GET to it, and is over once the headers are sent: no stream stays open for one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        has_answered = asyncio.Event()

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                has_answered.set()

        answering = asyncio.ensure_future(self._app({**scope, "method": "GET"}, receive, send_head))
        heads = asyncio.create_task(has_answered.wait())
        try:
            await asyncio.wait([answering, heads], return_when=asyncio.FIRST_COMPLETED)
            if not heads.done():
                await answering  # raises what kept it from answering
        finally:
            heads.cancel()
            answering.cancel()
            await asyncio.gather(heads, answering, return_exceptions=True)
