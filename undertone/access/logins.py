"""Logins: signed tokens in a cookie, or shown as a bearer. Each names an API key, or the owner of this machine's home.

A login by key is good for as long as the file has that key, with the rights that it has there. The owner's commands
make their own, with the secret that only the owner can read; such a login says which server it is for, since what
listens on a port of this machine may be somebody else's.
"""

import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from undertone import tokens
from undertone.access.keys import ApiKey, Keyring
from undertone.access.rights import Caller, Right
from undertone.errors import Refusal
from undertone.settings import Settings

OWNER = "owner"
LINK_LIFETIME = timedelta(minutes=10)
COMMAND_LIFETIME = timedelta(minutes=15)  # a server that is busy is asked again for ten


def make_command_login(settings: Settings, url: str, now: datetime) -> str:
    """What the owner's commands show to the server at ``url``."""
    return tokens.sign(settings.signing_key(), "login", {"sub": OWNER, "host": _host(url)}, now, COMMAND_LIFETIME)


def link_to(settings: Settings, url: str, now: datetime) -> str:
    """A link that logs the owner in at ``url``, once. What is behind ``#`` is sent to nobody and logged nowhere."""
    claims = {"sub": OWNER, "host": _host(url), "jti": secrets.token_urlsafe(12)}
    return f"{url.rstrip('/')}/login#{tokens.sign(settings.signing_key(), 'link', claims, now, LINK_LIFETIME)}"


class Logins:
    """Makes and reads logins of this server."""

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        self._secrets = settings.checking_keys()
        self._lifetime = timedelta(hours=settings.login_hours)
        self._keyring = keyring
        self._used: dict[str, float] = {}

    def by_key(self, key: str) -> Caller:
        """Who shows this API key. Raises ``Refusal`` for one that is not in the file."""
        return _caller(self._known(key))

    def by_login(self, login: str, host: str) -> Caller:
        """Who has this login, shown to us as ``host``. Raises ``Refusal`` if it has ended."""
        try:
            claims = tokens.read(self._secrets, "login", login)
        except Refusal as refusal:
            if refusal.retryable:
                raise
            raise _ended() from refusal
        if "key" in claims:
            known = self._keyring.named(claims["sub"], claims["key"])
            if known is None:
                raise _ended()
            return _caller(known)
        if claims.get("host", host) != host:
            raise _ended()
        return Caller(OWNER, frozenset({Right.OPERATE}))

    def login_by_key(self, key: str, now: datetime) -> str:
        """A login for the cookie. Raises ``Refusal`` as ``by_key``."""
        known = self._known(key)
        return self._sign({"sub": known.name, "key": known.digest}, now)

    def login_by_link(self, link: str, host: str, now: datetime) -> str:
        """A login for the cookie; the link is used up. Raises ``Refusal`` for one that is, or is too old."""
        self._used = {name: until for name, until in self._used.items() if until > now.timestamp()}
        try:
            claims = tokens.read(self._secrets, "link", link)
        except Refusal as refusal:
            if refusal.retryable:
                raise
            raise _link_used() from refusal
        name = str(claims.get("jti"))
        if claims.get("host") != host or name in self._used:
            raise _link_used()
        self._used[name] = float(claims["exp"])
        return self._sign({"sub": OWNER}, now)

    def _known(self, key: str) -> ApiKey:
        known = self._keyring.find(key)
        if known is None:
            raise Refusal("key_unknown", "there is no such API key: `undertone keys make` makes one", status=401)
        return known

    def _sign(self, claims: dict[str, str], now: datetime) -> str:
        return tokens.sign(self._secrets[0], "login", claims, now, self._lifetime)


def _caller(key: ApiKey) -> Caller:
    return Caller(key.name, key.rights)


def _ended() -> Refusal:
    return Refusal("login_ended", "the login has ended: log in again", status=401)


def _link_used() -> Refusal:
    return Refusal(
        "link_used",
        "the link has been used, is too old or is for another server: `undertone login` makes another",
        status=401,
    )


def _host(url: str) -> str:
    """``name:port`` as clients send it in ``Host``; the port of the scheme is left out."""
    parts = urlsplit(url)
    return parts.netloc.removesuffix({"http": ":80", "https": ":443"}.get(parts.scheme, ""))
