"""Logins: signed tokens in a cookie, or shown as a bearer. Each names an API key, or the owner of this machine's home.

A login by key is good for as long as the file has that key, with the rights that it has there. The owner's commands
make their own, with the secret that only the owner can read. Every login names the instance that it is for. Those of
commands, and links, also name the origin that they are for: another user's program may listen there, and is then of no
use to it anywhere else. The server compares that origin with where it was reached, never with what a client says.
"""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from undertone import tokens
from undertone.access.addresses import origin_of
from undertone.access.keys import ApiKey, Keyring
from undertone.access.rights import Caller, Right
from undertone.access.used_links import UsedLinks
from undertone.errors import Refusal
from undertone.settings import Settings

OWNER = "owner"
LINK_LIFETIME = timedelta(minutes=10)
COMMAND_LIFETIME = timedelta(minutes=15)  # a server that is busy is asked again for ten


def make_command_login(settings: Settings, url: str, now: datetime) -> str:
    """What the owner's commands show to the server at ``url``, which has an IP address or is the public URL."""
    claims = {"sub": OWNER, "origin": origin_of(url)}
    return tokens.sign(settings.signing_key(), "login", claims, now, COMMAND_LIFETIME)


def link_to(settings: Settings, url: str, now: datetime) -> str:
    """A link that logs the owner in at ``url``, once. What is behind ``#`` is sent to nobody and logged nowhere."""
    claims = {"sub": OWNER, "origin": origin_of(url), "jti": secrets.token_urlsafe(12)}
    return f"{url.rstrip('/')}/login#{tokens.sign(settings.signing_key(), 'link', claims, now, LINK_LIFETIME)}"


class Logins:
    """Makes and reads logins of this server."""

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        self._secrets = settings.checking_keys()
        self._lifetime = timedelta(hours=settings.login_hours)
        self._keyring = keyring
        self._used = UsedLinks(settings.home / "used-links")

    def by_key(self, key: str) -> Caller:
        """Who shows this API key. Raises ``Refusal`` for one that is not in the file."""
        return _caller(self._known(key))

    def secret_named(self, name: str) -> str | None:
        """The secret, or the digest of a key, with this name (``tokens.instance_id``)."""
        shared = (*self._secrets, *self._keyring.digests())
        return next((secret for secret in shared if tokens.instance_id(secret) == name), None)

    def by_login(self, login: str, origins: Collection[str]) -> Caller:
        """Who has this login. ``origins`` are where we were reached. Raises ``Refusal`` if it has ended."""
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
        if "origin" in claims and claims["origin"] not in origins:
            raise _ended()
        return Caller(OWNER, frozenset({Right.OPERATE}))

    def login_by_key(self, key: str, now: datetime) -> str:
        """A login for the cookie. Raises ``Refusal`` as ``by_key``."""
        known = self._known(key)
        return self._sign({"sub": known.name, "key": known.digest}, now)

    def login_by_link(self, link: str, origins: Collection[str], now: datetime) -> str:
        """A login for the cookie; the link is used up. Raises ``Refusal`` for one that is, or is too old."""
        try:
            claims = tokens.read(self._secrets, "link", link)
        except Refusal as refusal:
            if refusal.retryable:
                raise
            raise _link_used() from refusal
        if claims.get("origin") not in origins or not self._used.use(str(claims.get("jti")), now):
            raise _link_used()
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
