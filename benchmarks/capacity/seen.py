"""What a reader saw of one session, with the times at which it was on the screen."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class View:
    """All text on the screen from one moment on (seconds, monotonic): what is final, then what may still change."""

    at_s: float
    final: str
    pending: str


@dataclass(frozen=True, slots=True)
class Text:
    """Text of an utterance as it came, partial or final: its first sample and the last one heard for it."""

    at_s: float
    start: int
    heard: int
    text: str


@dataclass(frozen=True, slots=True)
class Final:
    """A final utterance with its sentiment; ``text`` is empty where the gates suppressed it."""

    at_s: float
    start: int
    end: int
    text: str


@dataclass
class Seen:
    """One session; times in seconds, monotonic, None where a system does not say that it has finished.

    ``texts``, ``finals``, ``counted`` (what the session says that it gave out) and ``repeated`` are of systems that
    speak of utterances by number, as Undertone does; others have ``views`` alone.
    """

    began_s: float = 0.0
    stopped_s: float = 0.0
    finished_s: float | None = None
    views: list[View] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    finals: dict[str, Final] = field(default_factory=dict)
    counted: int | None = None
    repeated: int = 0

    def show(self, at_s: float, final: str, pending: str) -> None:
        """Note what is on the screen from now on, if that is anything new."""
        last = self.views[-1] if self.views else View(at_s, "", "")
        if (final, pending) != (last.final, last.pending):
            self.views.append(View(at_s, last.final if final == last.final else final, pending))

    @property
    def said(self) -> str:
        """All final text in the end."""
        return self.views[-1].final if self.views else ""
