"""How many failures in a row are put down to what is read, before they are put down to who reads it."""

from collections.abc import Callable

from stream_apps.deliveries import Delivery
from undertone.errors import FatalError
from undertone.topics import Topic


class Patience:
    """Counts the records in a row of each partition that were put aside, and acknowledges none before one is read.

    So the run is in the log and not in a process: whoever starts again meets all of it and stops at the same record,
    and once the cause is gone all of it is read. The price: what ends a partition is put aside again by the next who
    reads it, until something follows.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[tuple[Topic, int], list[Callable[[], None]]] = {}

    def lose(self, delivery: Delivery, error: Exception) -> None:
        """A record was put aside. Raises ``FatalError`` when that is one too many."""
        held = self._held.setdefault((delivery.topic, delivery.partition), [])
        held.append(delivery.settle)
        if len(held) >= self._limit:
            raise FatalError(
                f"{len(held)} records in a row, the last at {delivery.topic.name}, partition {delivery.partition}, "
                f"offset {delivery.offset}, cannot be processed: {error}. None of them is acknowledged. Upgrade or "
                "mend this worker, or, if they are to be skipped, start it with a higher UNDERTONE_POISON_LIMIT"
            )

    def regain(self, delivery: Delivery) -> None:
        """A record was read: those put aside before it are dealt with."""
        for settle in self._held.pop((delivery.topic, delivery.partition), ()):
            settle()

    def forget(self) -> None:
        """Partitions may go to others; what is not acknowledged comes again."""
        self._held.clear()


class Streak:
    """Counts the failures in a row of what a worker works with."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._failures = 0

    def lose(self, error: Exception) -> None:
        """Something failed. Raises ``FatalError`` when that is one too many."""
        self._failures += 1
        if self._failures >= self._limit:
            raise FatalError(
                f"{self._failures} utterances in a row could not be decoded, the last: {error!r}. It is not given up: "
                "check the Whisper engine and its settings; more of them are let pass with a higher "
                "UNDERTONE_POISON_LIMIT"
            ) from error

    def regain(self) -> None:
        """Something worked."""
        self._failures = 0
