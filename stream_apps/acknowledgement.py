"""Which offset of a partition may be committed: the one behind the longest settled run, in order of delivery. Pure."""

from collections import deque


class InOrder:
    """The acknowledgement of one partition during one assignment.

    Records may be settled in any order; ``committable`` never passes one that is not. Offsets need not be dense
    (compaction leaves holes), since what counts is the order of delivery.
    """

    def __init__(self) -> None:
        self._delivered: deque[int] = deque()
        self._settled: set[int] = set()
        self._committable: int | None = None

    def deliver(self, offset: int) -> None:
        """A record was delivered. Raises ``ValueError`` if it does not come after those before."""
        if self._delivered and offset <= self._delivered[-1]:
            raise ValueError(f"offset {offset} was delivered after {self._delivered[-1]}")
        self._delivered.append(offset)

    def settle(self, offset: int) -> None:
        """Every effect of the record at ``offset`` is durable."""
        self._settled.add(offset)
        while self._delivered and self._delivered[0] in self._settled:
            done = self._delivered.popleft()
            self._settled.discard(done)
            self._committable = done + 1

    @property
    def committable(self) -> int | None:
        """The offset to commit (the next one to read), or None while nothing is settled."""
        return self._committable

    @property
    def unsettled(self) -> int:
        """How many delivered records are not settled or wait behind one that is not."""
        return len(self._delivered)
