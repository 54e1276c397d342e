"""Which faults strike, where and when. Pure: the same seed, the same plan."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

WORKERS = ("transcriber", "classifier", "statistics", "archivist")
INGEST = ("ingest", "ingest-2")
FAULTS_PER_RUN = 14

# A point is "PART before|within|after WORK": where the part stands when it is struck. WORK is the topic of a record
# that it writes, `store` for the archivist's transaction, `forget` for that of deletions, `commit` for the offsets of
# its group.
POINTS = (
    "transcriber before transcripts",
    "transcriber after transcripts",
    "transcriber after sessions",
    "transcriber before commit",
    "classifier before utterances",
    "classifier after utterances",
    "classifier before commit",
    "statistics before windows",
    "statistics after windows",
    "statistics after statistics",
    "archivist before store",
    "archivist within store",
    "archivist after store",
    "archivist before commit",
    *(f"{name} {when} audio" for name in INGEST for when in ("before", "after")),
)
PRODUCES = tuple(point for point in POINTS if not point.endswith(("store", "commit")))
LATE = (
    "transcriber before transcripts",
    "transcriber before sessions",
    "classifier before utterances",
    "statistics before windows",
    "statistics before statistics",
    "archivist before store",
)

KINDS: Mapping[str, Sequence[str]] = {
    # SIGKILL at a random moment
    "kill": ("transcriber", *WORKERS, *INGEST),
    # SIGKILL at a chosen point
    "die": POINTS,
    # a produce fails: before the broker has the record, or after, when its answer is lost
    "fail": PRODUCES,
    # stopped at a chosen point for longer than the session time-out while another takes over, then goes on there
    "sleep": LATE,
    # stopped at a random moment or a chosen point while its recorders go on at the other replica, then it goes on
    "freeze": (*INGEST, *(f"{name} before audio" for name in INGEST)),
    # a second one joins and leaves
    "join": ("transcriber", "transcriber", *WORKERS),
    "kafka": ("restart", "kill", "pause"),
    "postgres": ("restart", "kill", "away", "slow", "cut"),
    # the recorders' TCP connections
    "wire": ("cut", "freeze"),
    # what a recorder does with its own frames
    "frames": ("repeat", "reorder"),
    # of the home
    "disk": ("full",),
}
# How often each kind comes in one round of dealing.
ROUND = ("kill", "die", "die", "die", "fail", "fail", "sleep", "freeze", "join", "kafka", "postgres", "wire", "frames")
RARE = {"disk": 2}  # once in so many rounds


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``number`` is what else it needs: which passing of a point, how many bytes, which way to end."""

    kind: str
    target: str
    stretch: float
    """Relative length of the audio that is sent while it strikes."""
    after_s: float
    """From sending that audio to striking, where the moment is not a point."""
    lasts_s: float
    number: int

    def __str__(self) -> str:
        return f"{self.kind} {self.target}"


def make_plan(count: int, seed: int, only: Sequence[str] = ()) -> tuple[tuple[Fault, ...], ...]:
    """``count`` faults in runs of about ``FAULTS_PER_RUN``, of all kinds in turn.

    With ``only``, those whose name begins with one of these words: ``kill``, ``die classifier``.
    """
    random = Random(seed)
    dealt = _deal(random, _choose(tuple(only)))
    faults = [_make(random, *next(dealt)) for _ in range(count)]
    runs = -(-count // FAULTS_PER_RUN)
    return tuple(tuple(faults[count * run // runs : count * (run + 1) // runs]) for run in range(runs))


def _choose(only: tuple[str, ...]) -> Mapping[str, Sequence[str]]:
    chosen = {
        kind: [target for target in targets if not only or f"{kind} {target}".startswith(only)]
        for kind, targets in KINDS.items()
    }
    return {kind: targets for kind, targets in chosen.items() if targets}


def _deal(random: Random, kinds: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    targets = {kind: _cycle(random, named) for kind, named in kinds.items()}
    number = 0
    while True:
        rare = [kind for kind, every in RARE.items() if number % every == 0]
        cards = [kind for kind in (*ROUND, *rare) if kind in targets]
        random.shuffle(cards)
        yield from ((kind, next(targets[kind])) for kind in cards)
        number += 1


def _cycle(random: Random, targets: Sequence[str]) -> Iterator[str]:
    """All of them, shuffled, again and again."""
    while True:
        yield from random.sample(targets, len(targets))


def _make(random: Random, kind: str, target: str) -> Fault:
    return Fault(
        kind,
        target,
        stretch=round(random.uniform(0.5, 1.5), 2),
        after_s=round(random.uniform(0, 1.5), 2),
        lasts_s=round(random.uniform(1, 4), 2),
        number=random.randrange(1000),
    )
