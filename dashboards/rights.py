"""What each route of the read side asks for. A route that is not here cannot be asked."""

from undertone.access.rights import PUBLIC, Need, Needs, Right

_ONE_SESSION = Need(Right.READ, session="read")

NEEDS: Needs = {
    ("GET", "/v1/sessions"): Need(Right.READ),
    ("GET", "/v1/sessions/{session_id}"): _ONE_SESSION,
    ("GET", "/v1/sessions/{session_id}/utterances"): _ONE_SESSION,
    ("GET", "/v1/sessions/{session_id}/utterances/{utterance_id}/audio"): _ONE_SESSION,
    ("GET", "/v1/sessions/{session_id}/kept-audio"): _ONE_SESSION,
    ("GET", "/v1/sessions/{session_id}/windows"): _ONE_SESSION,
    ("GET", "/v1/sessions/{session_id}/statistics"): _ONE_SESSION,
    ("GET", "/v1/sessions/{session_id}/search"): _ONE_SESSION,
    ("GET", "/v1/sessions/{session_id}/export"): _ONE_SESSION,
    ("GET", "/v1/sessions/{session_id}/events"): _ONE_SESSION,
    ("GET", "/v1/search"): Need(Right.READ),
    ("GET", "/v1/events"): Need(Right.READ),
    ("GET", "/v1/login"): PUBLIC,
    ("GET", "/v1/login/proof"): PUBLIC,
    ("GET", "/"): PUBLIC,
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/metrics"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
}
