"""The one form in which viewers get events, over REST and server-sent events alike."""

import json
from collections.abc import Mapping
from typing import Any

from undertone.errors import Refusal
from undertone.events import Session, Value


def viewer_form(event: Value) -> dict[str, Any]:
    """The event's JSON, without what is only the transcriber's business."""
    return event.model_dump(mode="json", exclude={"resume"} if isinstance(event, Session) else None)


def as_json(form: Mapping[str, Any]) -> str:
    """The form as text on one line."""
    return json.dumps(form, ensure_ascii=False, separators=(",", ":"))


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
