"""The answers of the read side, as they are sent and as OpenAPI describes them: events in the viewers' form."""

from undertone.access.rights import Right
from undertone.events import SessionState, Utterance, Value, Window


class SessionPage(Value):
    """Sessions, the whole-session windows of those that have one, and the cursor of the next page, null at the end."""

    sessions: list[SessionState]
    windows: list[Window]
    next: str | None


class UtterancePage(Value):
    """Utterances of one session, and the cursor of the next page, null at the end."""

    utterances: list[Utterance]
    next: str | None


class WindowPage(Value):
    """Windows of one session, and the cursor of the next page, null at the end."""

    windows: list[Window]
    next: str | None


class KeptAudio(Value):
    """What was said earlier than ``from_ms`` can be heard no more; 0 where all of it can."""

    session_id: str
    from_ms: int


class Part(Value):
    """Some of a text, and whether it is what was searched for."""

    text: str
    match: bool


class Hit(Value):
    """An utterance, and its text in parts. They are data, never mark-up: what was said is not ours to trust."""

    utterance: Utterance
    parts: list[Part]


class SearchPage(Value):
    """Hits, the sessions that they are from, and the cursor of the next page, null at the end."""

    hits: list[Hit]
    sessions: list[SessionState]
    next: str | None


class Exported(Value):
    """A whole session."""

    session: SessionState
    utterances: list[Utterance]


class Login(Value):
    """Who asks, null for nobody in particular, and what they may."""

    name: str | None
    rights: list[Right]
