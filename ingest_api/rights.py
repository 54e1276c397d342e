"""What each route of the write side asks for. A route that is not here cannot be asked."""

from undertone.access.rights import PUBLIC, Need, Needs, Right

NEEDS: Needs = {
    ("POST", "/v1/sessions"): Need(Right.RECORD),
    ("WS", "/v1/sessions/{session_id}/audio"): Need(session="write"),
    ("POST", "/v1/sessions/{session_id}/audio"): Need(session="write"),
    ("POST", "/v1/sessions/{session_id}/stop"): Need(session="write"),
    ("POST", "/v1/sessions/{session_id}/file"): Need(session="write"),
    ("DELETE", "/v1/sessions/{session_id}"): Need(Right.OPERATE, session="write"),
    ("POST", "/v1/login"): PUBLIC,
    ("DELETE", "/v1/login"): PUBLIC,
    ("GET", "/v1/login/proof"): PUBLIC,
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/metrics"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
}
