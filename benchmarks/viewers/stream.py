"""What comes over one viewer's wire, cut anywhere: HTTP's chunks, and the blocks of server-sent events in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_UTTERANCE = re.compile(rb'"utterance_id":"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Block:
    """One whole event: its name (empty for none), its id if it has one, and its data as it came."""

    name: bytes
    id: bytes | None
    data: bytes

    def utterance_ids(self) -> list[bytes]:
        """The finals that it shows: its own, or those of a snapshot."""
        if self.name not in {b"utterance", b"snapshot"}:
            return []
        # The transcriber's memory is not shown, and no text has an unescaped quote: each of these is a final's id.
        return _UTTERANCE.findall(self.data)


class Wire:
    """Feed it what arrives. ``status`` is the answer's, 0 before its headers are there."""

    def __init__(self) -> None:
        self.status = 0
        self._raw = bytearray()
        self._text = bytearray()

    def feed(self, data: bytes) -> Iterator[Block]:
        """The blocks that are whole now. What the wire ends in the middle of is never given out."""
        self._raw += data
        if self.status == 0:
            head, found, rest = self._raw.partition(b"\r\n\r\n")
            if not found:
                return
            self.status, self._raw = int(head.split(b" ", 2)[1]), rest
        self._join_chunks()
        *blocks, self._text = self._text.split(b"\n\n")
        for block in blocks:
            yield _read(bytes(block))

    def _join_chunks(self) -> None:
        at = 0
        while (end := self._raw.find(b"\r\n", at)) >= 0:
            size = int(self._raw[at:end], 16)
            if len(self._raw) < end + 2 + size + 2:
                break
            self._text += self._raw[end + 2 : end + 2 + size]
            at = end + 2 + size + 2
        del self._raw[:at]


def _read(block: bytes) -> Block:
    fields = dict(line.partition(b": ")[::2] for line in block.split(b"\n"))
    return Block(fields.get(b"event", b""), fields.get(b"id"), fields.get(b"data", b""))
