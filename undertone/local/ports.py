"""Addresses and free TCP ports of this machine."""

import contextlib
import errno
import ipaddress
import socket

LOOPBACK = "127.0.0.1"
WILDCARDS = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104


def free_ports(count: int) -> list[int]:
    """``count`` different ports of 127.0.0.1 that nobody listened on a moment ago."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [int(each.getsockname()[1]) for each in sockets]


def reached_at(host: str) -> str:
    """The address at which this machine reaches what listens on ``host``: for a wildcard it is the loopback."""
    return WILDCARDS.get(host, host)


def ip_address_of(host: str) -> str:
    """The IP address that is listened on for a name; another user may listen on others that it stands for."""
    try:
        return host if ":" in host else socket.gethostbyname(host)
    except OSError:
        return host


def is_wildcard(host: str) -> bool:
    """Whether what listens there listens on all addresses."""
    return host in WILDCARDS


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_free(host: str, port: int) -> bool:
    """Whether we could listen there now: the port is neither in use nor reserved for root.

    Raises ``OSError`` if ``host`` is no address of this machine.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True
