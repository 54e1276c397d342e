"""Origins (scheme, host and port, RFC 6454) at which a server is reached, as the server itself knows them.

A client chooses the ``Host`` header, but not the address and port that its connection arrives at.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.types import Scope

_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """The origin of a URL, always with its port. Raises ``ValueError`` for a URL whose port is no port."""
    parts = urlsplit(url)
    return _origin(parts.scheme, parts.hostname or "", parts.port)


def own_origins(scope: Scope, public_url: str | None) -> frozenset[str]:
    """The address that a connection arrived at, and the public URL, where the operator has set one."""
    host, port = scope.get("server") or ("", None)
    arrived_at = _origin("http", host, port)
    return frozenset({arrived_at} if public_url is None else {arrived_at, origin_of(public_url)})


def _origin(scheme: str, host: str, port: int | None) -> str:
    host = _canonical(host.lower())
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port or _PORTS.get(scheme, 0)}"


def _canonical(host: str) -> str:
    """An IP address in its one form: a socket for both versions names one of version 4 as ``::ffff:127.0.0.1``."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
