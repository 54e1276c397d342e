"""How often and how many: by key, by address, by session. Counted in each process, and forgotten with it.

``Rate`` is the generic cell rate algorithm: one number a name says when its account will be balanced again, so that
neither a thread nor a list of times is kept, and the time to wait is exact. Time is passed in, in seconds.
"""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from undertone.errors import Refusal

MOST_NAMES = 10_000
AGAIN_AFTER_MS = 10_000
BODY_AGAIN_AFTER_MS = 2_000


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
            # The first alone: a look for one that is in balance is work that a crowd of names could ask for.
            del self._due_s[next(iter(self._due_s))]
        return 0.0


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


class ByteBudget:
    """Bytes that are held at a time: in all, and for each name."""

    def __init__(self, total_bytes: int, bytes_per_name: int) -> None:
        self._left_bytes = total_bytes
        self._bytes_per_name = bytes_per_name
        self._held: Counter[str] = Counter()

    @contextmanager
    def hold(self, name: str | None) -> Iterator["Holding"]:
        """What is taken for the name during the block; None has no limit of its own."""
        holding = Holding(self, name)
        try:
            yield holding
        finally:
            self.give_back(holding)

    def take(self, holding: "Holding", size_bytes: int) -> None:
        """Hold so much more. Raises ``Refusal`` if there is no room."""
        name = holding.name
        if size_bytes > self._left_bytes:
            words = "the server holds as much of unfinished requests as it can: send it again a little later"
            raise Refusal("too_many_bodies", words, status=503, retryable=True, retry_after_ms=BODY_AGAIN_AFTER_MS)
        if name is not None and self._held[name] + size_bytes > self._bytes_per_name:
            words = f"{name} has too much of unfinished requests on its way: send it again a little later"
            raise Refusal("too_many_bodies", words, status=429, retryable=True, retry_after_ms=BODY_AGAIN_AFTER_MS)
        self._left_bytes -= size_bytes
        holding.size_bytes += size_bytes
        if name is not None:
            self._held[name] += size_bytes

    def give_back(self, holding: "Holding") -> None:
        """Hold nothing of it any more."""
        self._left_bytes += holding.size_bytes
        if holding.name is not None:
            self._held[holding.name] -= holding.size_bytes
            if self._held[holding.name] <= 0:
                del self._held[holding.name]
        holding.size_bytes = 0


@dataclass
class Holding:
    """What one request holds of a budget."""

    budget: ByteBudget
    name: str | None
    size_bytes: int = 0

    def take(self, size_bytes: int) -> None:
        """Hold so much more. Raises ``Refusal`` if there is no room."""
        self.budget.take(self, size_bytes)


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
