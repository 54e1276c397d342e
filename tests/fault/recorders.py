"""A recorder that now and then repeats its frames or swaps them, and goes on when it is told of it."""

import struct
from typing import Any, Literal, NoReturn, TypeAlias

from websockets.asyncio.client import ClientConnection

from undertone.errors import Refusal
from undertone.recorder import Finished, Recorder

Clumsiness: TypeAlias = Literal["", "repeat", "reorder"]

HEADER_BYTES = 8


class ClumsyRecorder(Recorder):
    """As ``clumsy`` says, once: then it is an ordinary one again."""

    clumsy: Clumsiness = ""

    @property
    def is_heard(self) -> bool:
        """Whether a transcriber has heard all that was written, or the recording is over, one way or another."""
        return self._running.done() or (self.is_acknowledged and self.behind_ms == 0)

    @property
    def is_acknowledged(self) -> bool:
        """Whether all that was written is acknowledged, or the recording is over."""
        return self._running.done() or self.acknowledged == self.next_sample

    def say_stop(self) -> None:
        """Begin to stop; see ``stop``."""
        self._is_stopping = True
        self._notify()

    async def _speak(self, socket: ClientConnection) -> Finished:
        try:
            return await super()._speak(socket)
        except Refusal as refusal:
            if refusal.code != "jump":
                raise
            raise Refusal(refusal.code, refusal.message, status=refusal.status, retryable=True) from refusal

    async def _send(self, socket: ClientConnection, begin: int) -> NoReturn:
        await super()._send(_ClumsySocket(socket, self), begin)  # type: ignore[arg-type]

    def frame_after(self, frame: bytes) -> bytes | None:
        """The frame that will be sent next, if there is one already."""
        (at,) = struct.unpack_from("<Q", frame)
        end = at + (len(frame) - HEADER_BYTES) // 2
        piece = self._outbox.after(end)
        return None if piece is None or piece.pcm is None else struct.pack("<Q", piece.at) + piece.pcm


class _ClumsySocket:
    """The sending half of a socket, in clumsy hands."""

    def __init__(self, socket: ClientConnection, owner: ClumsyRecorder) -> None:
        self._socket = socket
        self._owner = owner
        self._sent: list[bytes] = []

    async def send(self, frame: Any) -> None:
        """Send a frame, perhaps behind the one that follows it, perhaps behind older ones once more."""
        if isinstance(frame, bytes):
            if self._owner.clumsy == "reorder" and (following := self._owner.frame_after(frame)):
                self._owner.clumsy = ""
                await self._socket.send(following)
            elif self._owner.clumsy == "repeat" and len(self._sent) > 2:
                self._owner.clumsy = ""
                for old in self._sent:
                    await self._socket.send(old)
                await self._socket.send(self._sent[-1] + frame[HEADER_BYTES:])  # half of it is new
            self._sent = [*self._sent[-4:], frame]
        await self._socket.send(frame)
