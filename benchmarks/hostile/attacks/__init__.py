"""The attackers by name. Each module has one idea, and its ``attack`` goes on until it is cancelled."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from benchmarks.hostile.attacks import (
    frames,
    gaps,
    heavy_reads,
    jumps,
    repeats,
    searches,
    slow_bodies,
    slow_uploads,
    takeovers,
    watchers,
    wav_bombs,
)
from benchmarks.hostile.stranger import Stranger


@dataclass(frozen=True)
class Attack:
    """One attacker: what it does until cancelled, and in how many processes."""

    run: Callable[[Stranger], Awaitable[None]]
    hands: int = 1


ATTACKS: Mapping[str, Attack] = {
    "wav-bombs": Attack(wav_bombs.attack),
    "gaps": Attack(gaps.attack),
    "jumps": Attack(jumps.attack),
    "repeats": Attack(repeats.attack),
    "slow-bodies": Attack(slow_bodies.attack, slow_bodies.HANDS),
    "slow-uploads": Attack(slow_uploads.attack),
    "watchers": Attack(watchers.attack),
    "heavy-reads": Attack(heavy_reads.attack),
    "takeovers": Attack(takeovers.attack),
    "frames": Attack(frames.attack),
    "searches": Attack(searches.attack),
}
