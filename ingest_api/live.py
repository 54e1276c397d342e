"""Which connection of this process speaks for a session: the last one that started."""

import asyncio


class LiveConnections:
    """One place per session. Other replicas are not seen here; between them the log's last ``open`` decides."""

    def __init__(self) -> None:
        self._places: dict[str, asyncio.Event] = {}

    def enter(self, session_id: str) -> asyncio.Event:
        """Speak for the session from now on; the event returned is set when somebody else does."""
        if previous := self._places.get(session_id):
            previous.set()
        place = asyncio.Event()
        self._places[session_id] = place
        return place

    def leave(self, session_id: str, place: asyncio.Event) -> None:
        """Give the place back, unless somebody else has it already."""
        if self._places.get(session_id) is place:
            del self._places[session_id]
