"""How often and how many: by key, by address, by session. Counted in each process, and forgotten with it.

``Rate`` is the generic cell rate algorithm: one number a name says when its account will be balanced again, so that
neither a thread nor a list of times is kept, and the time to wait is exact. Time is passed in, in seconds.
"""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from undertone.errors import Refusal

MOST_NAMES = 10_000
AGAIN_AFTER_MS = 10_000


class Rate:
    """At most ``count`` in a minute, for each name: all at once, or one by one."""

    def __init__(self, count: int) -> None:
        self._every_s = 60.0 / count
        self._slack_s = 60.0 - self._every_s
        self._due_s: dict[str, float] = {}

    def take(self, name: str, now_s: float) -> float:
        """Count one and return 0.0; or count none and return the seconds until there is room for it."""
        due_s = max(self._due_s.get(name, now_s), now_s)
        wait_s = due_s - now_s - self._slack_s
        if wait_s > 0:
            return wait_s
        self._due_s.pop(name, None)
        self._due_s[name] = due_s + self._every_s  # last in order, so that the first is the one to forget
        if len(self._due_s) > MOST_NAMES:
            self._forget(now_s)
        return 0.0

    def _forget(self, now_s: float) -> None:
        self._due_s = {name: due_s for name, due_s in self._due_s.items() if due_s > now_s}
        while len(self._due_s) > MOST_NAMES:
            del self._due_s[next(iter(self._due_s))]


class Places:
    """At most ``count`` at a time, for each name."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken: Counter[str] = Counter()

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Have a place for the block. Raises ``Refusal`` if all of the name's are taken."""
        if self._taken[name] >= self._count:
            raise Refusal(
                "too_many_streams",
                f"{name} has {self._count} streams or sockets open already: close some",
                status=429,
                retryable=True,
                retry_after_ms=AGAIN_AFTER_MS,
            )
        self._taken[name] += 1
        try:
            yield
        finally:
            self._taken[name] -= 1
            if self._taken[name] <= 0:
                del self._taken[name]


def address_name(host: str | None) -> str:
    """What an address is counted under: itself, or the network of one subscriber (/64) where it is of version 6."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return "an unknown address"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
