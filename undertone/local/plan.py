"""What `up` decides, as pure values: what starts after what, what stops when, whether a part that died starts again.

Times are seconds of one monotonic clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from undertone.retry import doubled_s

WORKERS = ("transcriber", "classifier", "statistics", "archivist")

NEEDS: Mapping[str, frozenset[str]] = {
    "jars": frozenset(),
    "kafka": frozenset({"jars"}),
    "postgres": frozenset(),
    "weights": frozenset(),
    "topics": frozenset({"kafka"}),
    "migrations": frozenset({"postgres"}),
    "web": frozenset({"topics", "postgres"}),  # not the migrations: it takes audio while a database is away
    "transcriber": frozenset({"topics", "weights"}),
    "classifier": frozenset({"topics", "weights"}),
    "statistics": frozenset({"topics"}),
    "archivist": frozenset({"topics", "migrations"}),
    "demo": frozenset({"web"}),
}
"""What must be done or ready before each part or step starts, where a run has it at all. All else goes side by side."""


@dataclass(frozen=True)
class Wave:
    """Parts that are stopped together, and how long they may take before they are killed."""

    names: tuple[str, ...]
    grace_s: float


STOP: tuple[Wave, ...] = (
    Wave(("demo",), 1.0),
    Wave(("web",), 3.0),  # nothing new comes in
    Wave(WORKERS, 5.0),  # they finish what they began, and commit
    Wave(("postgres", "kafka"), 4.0),  # nobody needs them any more
)


FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
HEALTHY_AFTER_S = 60.0
AT_ONCE_S = 20.0
ATTEMPTS = 3


@dataclass(frozen=True)
class History:
    """The recent ends of one part. ``hopeless``: those in a row in which it gave up by itself, at once."""

    ends: int = 0
    hopeless: int = 0
    was_ready: bool = False

    def ready(self) -> "History":
        """The history once the part was ready: from now on it is restarted however often it ends."""
        return History(self.ends, 0, was_ready=True)

    def ended(self, status: int, ran_s: float) -> "History":
        """The history after an end with this exit status. A long healthy run wipes the slate."""
        before = 0 if ran_s >= HEALTHY_AFTER_S else self.ends
        gave_up = status == 1 and ran_s < AT_ONCE_S and not self.was_ready
        return History(before + 1, self.hopeless + 1 if gave_up else 0, self.was_ready)

    @property
    def is_hopeless(self) -> bool:
        """Whether another start would end the same way: it never came up, and said thrice that it cannot."""
        return self.hopeless >= ATTEMPTS

    @property
    def wait_s(self) -> float:
        """How long to wait before the next start: doubling, bounded."""
        return doubled_s(FIRST_WAIT_S, max(0, self.ends - 1), LONGEST_WAIT_S)
