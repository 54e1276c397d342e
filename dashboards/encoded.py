"""A snapshot as JSON in pieces: made once for all viewers who come together, sent piece by piece, and then let go."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from dashboards.forms import viewer_json
from dashboards.snapshots import Snapshot
from undertone.events import Partial, Session, Utterance, Window
from undertone.parts import in_parts

PIECE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Piece:
    """Events of one session, with commas between them."""

    session_id: str
    data: bytes


@dataclass(frozen=True, eq=False)
class EncodedSnapshot:
    """The JSON of a snapshot but for what changes: partials, and what is deleted meanwhile.

    ``start`` and ``complete`` are the snapshot's. ``is_known`` says whether it has a session or an utterance.
    """

    complete: bool
    more: bool
    start: Mapping[int, int]
    is_known: bool
    size_bytes: int
    reached: Mapping[str, int]
    over: frozenset[str]
    sessions: Sequence[Piece]
    utterances: Sequence[Piece]
    windows: Sequence[Piece]

    def pieces(self, partials: Iterable[Partial], is_gone: Callable[[str], bool], *, complete: bool) -> Iterator[bytes]:
        """The JSON of the event, without sessions that are gone; of ``partials`` only those that nothing here voids."""
        head = {"type": "snapshot", "complete": complete, "more": self.more}
        yield json.dumps(head, separators=(",", ":")).encode()[:-1]
        for name, pieces in (("sessions", self.sessions), ("utterances", self.utterances), ("windows", self.windows)):
            yield f',"{name}":['.encode()
            yield from _joined(piece.data for piece in pieces if not is_gone(piece.session_id))
            yield b"]"
        changing = (partial for partial in partials if not is_gone(partial.session_id) and self._shows(partial))
        yield b',"partials":['
        yield from _joined(viewer_json(partial).encode() for partial in changing)
        yield b"]}"

    def _shows(self, partial: Partial) -> bool:
        is_settled = partial.first_sample < self.reached.get(partial.session_id, 0)
        return not is_settled and partial.session_id not in self.over


async def encode(snapshot: Snapshot) -> EncodedSnapshot:
    """Encode it in parts."""
    reached = dict(snapshot.through)
    settled: list[Session | Utterance] = [*snapshot.sessions, *snapshot.utterances]
    for event in settled:
        reached[event.session_id] = max(reached.get(event.session_id, 0), event.through)
    ended = [session.session_id for session in snapshot.sessions if session.state == "ended"]
    sessions = await _encode_all(snapshot.sessions)
    utterances = await _encode_all(snapshot.utterances)
    windows = await _encode_all(snapshot.windows)
    return EncodedSnapshot(
        complete=snapshot.complete,
        more=snapshot.more,
        start=snapshot.start,
        is_known=bool(snapshot.sessions or snapshot.utterances),
        size_bytes=sum(len(piece.data) for piece in (*sessions, *utterances, *windows)),
        reached=reached,
        over=frozenset(ended),
        sessions=sessions,
        utterances=utterances,
        windows=windows,
    )


async def _encode_all(events: Sequence[Session | Utterance | Window]) -> list[Piece]:
    found: list[Piece] = []
    async for part in in_parts(events):
        for session_id, mine in groupby(part, lambda event: event.session_id):
            texts = [viewer_json(event).encode() for event in mine]
            while texts:
                count = _fitting(texts)
                found.append(Piece(session_id, b",".join(texts[:count])))
                del texts[:count]
    return found


def _fitting(texts: Sequence[bytes]) -> int:
    """How many of the texts, at least one, are a piece together."""
    size_bytes = 0
    for count, text in enumerate(texts):
        size_bytes += len(text)
        if size_bytes > PIECE_BYTES:
            return max(count, 1)
    return len(texts)


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    between = b""
    for piece in pieces:
        yield between + piece
        between = b","
