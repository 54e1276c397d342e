"""One session in the transcriber: its stored record, the log records that it has not settled, and its listener. Pure.

The owner feeds log records in order; at a ``Boundary`` it makes the minutes durable and then calls ``settle``.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.speech.segmenter import SegmentRules, Voice
from stream_apps.listener import Boundary, Entry, Ignored, Listener, Opened, Outcome
from undertone.events import Session


@dataclass(frozen=True, slots=True)
class Settled:
    """The offsets that a stored record settled, and the next boundary if the unsettled records hold one already."""

    offsets: tuple[int, ...]
    boundary: Boundary | None


class Conversation:
    """Hears one session's log from its stored record on."""

    def __init__(self, session: Session, start_voice: Callable[[], Voice], rules: SegmentRules) -> None:
        self.session = session
        self._start_voice = start_voice
        self._rules = rules
        self._kept: deque[Entry] = deque()
        self._superseded: list[int] = []
        self.listener = Listener(session, start_voice, rules)

    def hear(self, entry: Entry) -> Outcome:
        """Hear the next log record. ``Ignored`` records may be settled at once, and what ``take_superseded`` gives.

        All others wait for ``settle``.
        """
        if entry.offset < self.session.resume.offset:
            return Ignored()
        return self._hear(entry)

    def hear_on(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Hear log records one after another; ends at the first that opens something or brings a boundary.

        An outcome for each that was heard, at least one: the rest are still to be heard.
        """
        outcomes: list[Outcome] = []
        for entry in entries:
            outcomes.append(self.hear(entry))
            if isinstance(outcomes[-1], Opened | Boundary):
                break
        return outcomes

    def show(self, opened: Opened) -> None:
        """The record that an opening shows is stored; it settles nothing."""
        self.session = opened.session
        self.listener.show(opened.session)

    def take_superseded(self) -> list[int]:
        """The offsets of records that later ones have made redundant since the last call: they may be settled."""
        taken, self._superseded = self._superseded, []
        return taken

    def settle(self, session: Session) -> Settled:
        """``session`` is stored: forget what it settles and hear the rest again, up to the next boundary.

        While a boundary comes back, records behind it are not heard yet: settle it before the next ``hear``.
        """
        self.session = session
        self.listener = Listener(session, self._start_voice, self._rules)
        settled = [entry.offset for entry in self._kept if entry.offset < session.resume.offset]
        waiting = [entry for entry in self._kept if entry.offset >= session.resume.offset]
        self._kept.clear()
        boundary = None
        for entry in waiting:
            if boundary:
                self._kept.append(entry)
                continue
            outcome = self._hear(entry)
            if isinstance(outcome, Ignored):
                settled.append(entry.offset)
            if isinstance(outcome, Boundary):
                boundary = outcome
        return Settled((*settled, *self.take_superseded()), boundary)

    def _hear(self, entry: Entry) -> Outcome:
        outcome = self.listener.hear(entry)
        superseded, spared = set(self.listener.superseded), list[Entry]()
        self._superseded += superseded
        while superseded:  # they are among the last
            last = self._kept.pop()
            if last.offset in superseded:
                superseded.discard(last.offset)
            else:
                spared.append(last)
        self._kept.extend(reversed(spared))
        if not isinstance(outcome, Ignored):
            self._kept.append(entry)
        return outcome
