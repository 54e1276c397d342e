"""Which servers are asked through the proxy that the environment names (`HTTPS_PROXY`, …): never those on this machine.

Clients of HTTP and WebSockets read those variables by themselves, and ask for loopback through the proxy too.
"""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from undertone.errors import FatalError
from undertone.local.ports import is_loopback, is_wildcard


def is_direct(url: str) -> bool:
    """Whether the address is one of this machine, which no proxy can reach."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # no address at all: its client says so
        return False
    if is_loopback(host) or is_wildcard(host) or host.endswith(".localhost"):
        return True
    try:
        mapped = getattr(ipaddress.ip_address(host), "ipv4_mapped", None)
    except ValueError:
        return False
    return mapped is not None and is_loopback(str(mapped))


def open_client(url: str, **options: Any) -> httpx.Client:
    """A client of the server at ``url``. Raises ``FatalError`` if the proxy to it cannot be used."""
    with _explained():
        return httpx.Client(transport=httpx.HTTPTransport() if is_direct(url) else None, **options)


def open_async_client(url: str, **options: Any) -> httpx.AsyncClient:
    """The same, asynchronous, with ``url`` as its base."""
    with _explained():
        return httpx.AsyncClient(
            base_url=url, transport=httpx.AsyncHTTPTransport() if is_direct(url) else None, **options
        )


def unusable(error: Exception) -> FatalError:
    """What to say of a proxy that a client cannot speak to."""
    return FatalError(
        f"the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names cannot be used ({error}): name an HTTP proxy, "
        "or list the server in NO_PROXY"
    )


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (ImportError, ValueError) as error:
        raise unusable(error) from error
