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
        self.listener = Listener(session, start_voice, rules)

    def hear(self, entry: Entry) -> Outcome:
        """Hear the next log record. ``Ignored`` records may be settled at once; all others wait for ``settle``."""
        if entry.offset < self.session.resume.offset:
            return Ignored()
        outcome = self.listener.hear(entry)
        if not isinstance(outcome, Ignored):
            self._kept.append(entry)
        return outcome

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
            outcome = None if boundary else self.listener.hear(entry)
            if isinstance(outcome, Ignored):
                settled.append(entry.offset)
                continue
            self._kept.append(entry)
            if isinstance(outcome, Boundary):
                boundary = outcome
        return Settled(tuple(settled), boundary)
