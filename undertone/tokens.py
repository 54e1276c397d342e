"""Signed tokens (RFC 7519, HS256, by PyJWT): of one session, of a login, of a link that logs in once, of a proof.

A token says what it is for (``aud``), so that none can pass for one of another kind. Tokens are signed with one secret
and checked against that and the one before, so that a secret can be changed while tokens are about.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

import jwt
from jwt.types import Options

from undertone.access.rights import SessionRight
from undertone.errors import Refusal

Kind: TypeAlias = Literal["session", "login", "link", "proof"]

_ALGORITHM = "HS256"
LEEWAY = timedelta(seconds=60)
"""So far the clock of the replica that made a token may be from the clock of the one that reads it."""
EARLY_RETRY_MS = 5000
# These name the instance that they are for (`iss`). Session tokens never did, and stay as they are.
_OF_INSTANCE = frozenset({"login", "link", "proof"})


def instance_id(secret: str) -> str:
    """A public name of a secret, which tells nothing of it: all processes with that secret are one instance."""
    return hmac.new(secret.encode(), b"undertone instance", hashlib.sha256).hexdigest()[:32]


def sign(key: str, kind: Kind, claims: Mapping[str, Any], now: datetime, lifetime: timedelta) -> str:
    """A token with these claims, valid for ``lifetime`` from ``now``."""
    issuer = {"iss": instance_id(key)} if kind in _OF_INSTANCE else {}
    return jwt.encode({**claims, **issuer, "aud": kind, "iat": now, "exp": now + lifetime}, key, algorithm=_ALGORITHM)


def read(keys: Sequence[str], kind: Kind, token: str) -> dict[str, Any]:
    """The claims of a token of this kind that one of ``keys`` signed.

    Times are compared with a leeway of ``LEEWAY``. Raises ``Refusal`` ``token_expired``, ``token_invalid``, or, for one
    that was issued further in the future, ``token_early``, which is retryable.
    """
    for key in keys:
        issuer = instance_id(key) if kind in _OF_INSTANCE else None
        options: Options = {"require": ["sub", "exp", "aud"]}
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=kind,
                issuer=issuer,
                leeway=LEEWAY,
                options=options,
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.ExpiredSignatureError as error:
            raise Refusal("token_expired", "the token has expired: ask for a new one", status=401) from error
        except jwt.ImmatureSignatureError as error:
            raise Refusal(
                "token_early",
                f"the token was issued more than {LEEWAY.seconds} s in the future: set the clocks of the servers",
                status=401,
                retryable=True,
                retry_after_ms=EARLY_RETRY_MS,
            ) from error
        except jwt.InvalidTokenError:
            break
        return claims
    raise Refusal("token_invalid", "the token is not one that this server made", status=401)


def make_token(
    key: str, session_id: str, right: SessionRight, now: datetime, hours: int, maker: str | None = None
) -> str:
    """A token for one right on one session, valid for ``hours`` from ``now``.

    ``maker`` says, for counting alone, who made the session.
    """
    claims = {"sub": session_id, "right": right} | ({} if maker is None else {"by": maker})
    return sign(key, "session", claims, now, timedelta(hours=hours))


def check_token(keys: Sequence[str], token: str, session_id: str, right: SessionRight) -> str | None:
    """The maker in ``token``, if it opens ``session_id`` for ``right`` (a write token may also read), and has one.

    Else raises ``Refusal``.
    """
    claims = read(keys, "session", token)
    if claims["sub"] != session_id or claims.get("right") not in {right, "write"}:
        raise Refusal("token_foreign", f"the token does not open session {session_id} to {right}", status=403)
    maker = claims.get("by")
    return maker if isinstance(maker, str) else None
