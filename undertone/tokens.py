"""Tokens that open one session, to write or to read: signed JSON Web Tokens (RFC 7519, HS256, by PyJWT)."""

from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import jwt

from undertone.errors import Refusal

Right: TypeAlias = Literal["write", "read"]

_ALGORITHM = "HS256"


def make_token(key: str, session_id: str, right: Right, now: datetime, hours: int) -> str:
    """A token for one right on one session, valid for ``hours`` from ``now``."""
    claims = {"sub": session_id, "right": right, "iat": now, "exp": now + timedelta(hours=hours)}
    return jwt.encode(claims, key, algorithm=_ALGORITHM)


def check_token(key: str, token: str | None, session_id: str, right: Right) -> None:
    """Return if ``token`` opens ``session_id`` for ``right``; a write token may also read. Else raise ``Refusal``."""
    if not token:
        raise Refusal("token_missing", "this needs the session's token: add ?token=… to the address", status=401)
    try:
        claims = jwt.decode(token, key, algorithms=[_ALGORITHM], options={"require": ["sub", "exp"]})
    except jwt.ExpiredSignatureError as error:
        raise Refusal("token_expired", "the session's token has expired: start a new session", status=401) from error
    except jwt.InvalidTokenError as error:
        raise Refusal("token_invalid", "the token is not one that this server made", status=401) from error
    if claims["sub"] != session_id or claims.get("right") not in {right, "write"}:
        raise Refusal("token_foreign", f"the token does not open session {session_id} to {right}", status=403)
