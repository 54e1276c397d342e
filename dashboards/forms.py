"""The one form in which viewers get events, over REST and server-sent events alike."""

from undertone.errors import Refusal
from undertone.events import Session, Value


def viewer_json(event: Value) -> str:
    """The event as JSON on one line, without what is only the transcriber's business."""
    return event.model_dump_json(exclude={"resume"} if isinstance(event, Session) else None)


def unknown_session(session_id: str) -> Refusal:
    """The answer to a session that neither the history nor the live view knows."""
    words = f"there is no session {session_id}: it was never made, or is past its retention"
    return Refusal("session_unknown", words, status=404)


def unknown_utterance(utterance_id: str) -> Refusal:
    """The answer to an utterance that its session does not have."""
    words = f"the session has no utterance {utterance_id[:100]}: it was never said there, or is past its retention"
    return Refusal("utterance_unknown", words, status=404)


def deleted_session(session_id: str) -> Refusal:
    """The answer to a session that somebody deleted."""
    return Refusal("session_deleted", f"the session {session_id} was deleted", status=410)
