"""Server-sent events on the wire."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from dashboards.forms import as_json
from dashboards.positions import write_position

log = logging.getLogger(__name__)


def heartbeat() -> ServerSentEvent:
    """Says that the connection lives. It has no id."""
    return ServerSentEvent(event="heartbeat", data='{"type":"heartbeat"}')


def reset() -> ServerSentEvent:
    """Says that the viewer's cursor is of no use and a fresh snapshot follows.

    Its id is empty, so that a viewer who is cut off right behind it begins anew.
    """
    return ServerSentEvent(event="reset", id="", data='{"type":"reset"}')


def place_only(position: Iterable[int]) -> ServerSentEvent:
    """Moves the viewer's last id and is no event to it: what a quiet stream resumes from."""
    return ServerSentEvent(id=write_position(tuple(position)))


def event(name: str, form: Mapping[str, Any] | str, position: Iterable[int]) -> ServerSentEvent:
    """An event with its cursor; ``form`` is its JSON, made already or still to make."""
    data = form if isinstance(form, str) else as_json(form)
    return ServerSentEvent(event=name, id=write_position(tuple(position)), data=data)


class ViewerResponse(EventSourceResponse):
    """A stream to a viewer; one that takes nothing for the send time-out is closed, which is no error of ours."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the stream or the viewer ends."""
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            log.warning("a viewer took nothing for %s s and was closed", self.send_timeout)
