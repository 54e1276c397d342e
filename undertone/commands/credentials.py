"""What the command line shows to a server, so that its owner needs no key on the same machine.

Another user's program may listen where the server is expected. Over plain HTTP on this machine nothing that opens
anything is sent, and no audio, before the server has proven that it knows the home's secret or the API key.
"""

import asyncio
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from undertone.access.addresses import origin_of
from undertone.access.keys import digest_of
from undertone.access.logins import make_command_login
from undertone.access.proofs import proven_origins
from undertone.base_url import read_base_url
from undertone.errors import FatalError, TransientError
from undertone.http_answers import describe_stranger, is_refusal, read_object
from undertone.local.home import with_secrets
from undertone.local.ports import is_loopback
from undertone.settings import Settings, read_settings
from undertone.tokens import instance_id

ANSWER_WITHIN_S = 10.0


@dataclass(frozen=True)
class Server:
    """A server that may be sent something: its URL, what to show there, and the secrets that it knows."""

    url: str
    credential: str | None = field(default=None, repr=False)
    shared: Sequence[str] = field(default=(), repr=False)

    async def confirm(self) -> None:
        """Return if the same server answers now as well; to be called before each new connection.

        Raises ``TransientError`` if none does, or another.
        """
        if self.shared:
            try:
                await asyncio.to_thread(_reach, self.url, self.shared)
            except FatalError as error:
                raise TransientError(str(error)) from error


def find_server(url: str, settings: Settings | None = None, *, has_token: bool = False) -> Server:
    """The server at ``url``, with the key that is set, or for one on this machine a login made with the home's secret.

    ``has_token`` says that the caller has a session's token for that address: then a server that proves nothing is
    used without a credential. Raises ``FatalError`` for any other that proves nothing, ``TransientError`` if nobody
    answers there.
    """
    url = read_base_url(url)
    known = with_secrets(settings or read_settings())
    key = None if known.key is None else known.key.get_secret_value()
    if not _is_local(url):
        return Server(url, key)
    if key is None and known.secret is None:
        return Server(url)
    shared = known.checking_keys() if key is None else (digest_of(key),)
    if urlsplit(url).scheme != "https":  # TLS tells whose server it is
        try:
            url = _reach(url, shared)
        except FatalError:
            if has_token:
                return Server(url)
            raise
    return Server(url, key or make_command_login(known, url, datetime.now(UTC)), shared)


def find_own_server(url: str, settings: Settings) -> str:
    """The URL of a server that knows the secret of these settings, for a link to it. Raises as ``find_server``."""
    url = read_base_url(url)
    return url if urlsplit(url).scheme == "https" else _reach(url, settings.checking_keys())


def _reach(url: str, shared: Sequence[str]) -> str:
    """The URL at which a server answers that knows one of the secrets, by its IP address.

    A name may stand for several addresses, and another user may listen at one of them. Raises as ``find_server``.
    """
    wrong: FatalError | None = None
    for address in _addresses(url):
        try:
            told = _ask_for_proof(address, shared)
        except httpx.HTTPError:
            continue
        except FatalError as error:
            wrong = wrong or error
            continue
        if origin_of(address) in told:
            return address
        if origin_of(url) in told:  # the public URL, without TLS: a proxy of the operator stands between
            return url
        wrong = wrong or _unproven(url, told)
    raise wrong or TransientError(
        f"no Undertone answers at {url}: start one with `undertone up`, or name another with --url http://…"
    )


def _ask_for_proof(address: str, shared: Sequence[str]) -> frozenset[str]:
    """The origins of the server at an address, proven; none if it proves nothing.

    Raises ``httpx.HTTPError``, and ``FatalError`` for the answer of a proxy.
    """
    with httpx.Client(base_url=address, timeout=ANSWER_WITHIN_S, trust_env=False) as http:
        for secret in shared:
            nonce = secrets.token_urlsafe(24)
            answer = http.get("/v1/login/proof", params={"name": instance_id(secret), "nonce": nonce})
            body = read_object(answer)
            if not (answer.is_success or is_refusal(body)):
                raise FatalError(describe_stranger(address, answer))
            if body and (told := proven_origins(secret, nonce, str(body.get("proof")))):
                return told
    return frozenset()


def _addresses(url: str) -> list[str]:
    """The URL with each IP address that its host stands for."""
    parts = urlsplit(url)
    port = parts.port or 80
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    hosts = dict.fromkeys(str(each[4][0]) for each in found)
    return [f"http://{f'[{host}]' if ':' in host else host}:{port}{parts.path}" for host in hosts]


def _unproven(url: str, told: frozenset[str]) -> FatalError:
    if told:
        words = (
            f"what listens at {url} passes requests on to the Undertone at {' and '.join(sorted(told))}, so nothing "
            "was sent: name that address with --url, or set UNDERTONE_PUBLIC_URL there if the proxy is yours"
        )
    else:
        words = (
            f"what listens at {url} does not prove that it is your Undertone, so nothing was sent: set UNDERTONE_HOME "
            "to its home, or UNDERTONE_KEY to a key of it, or name another address with --url"
        )
    return FatalError(words)


def _is_local(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")
