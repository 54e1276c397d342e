"""Who may read what: the one place that decides."""

from undertone.errors import Refusal
from undertone.identifiers import is_session_id
from undertone.tokens import check_token


def check_reading(key: str, token: str | None, session_id: str | None) -> bool:
    """Return if the caller may read ``session_id`` (None: all sessions), else raise ``Refusal``.

    True says that a token of that very session was shown, so that the session exists. Without a token reading is
    open; with one, it must open what is asked for.
    """
    if session_id is not None and not is_session_id(session_id):
        raise unknown_session(session_id)
    if token is None:
        return False
    if session_id is None:
        raise Refusal("token_foreign", "a session's token does not open the list of all sessions", status=403)
    check_token(key, token, session_id, "read")
    return True


def unknown_session(session_id: str) -> Refusal:
    """The answer to a session that neither the history nor the live view knows."""
    return Refusal("session_unknown", f"there is no session {session_id}: it was never made, or deleted", status=404)
