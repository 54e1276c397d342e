"""How the suite tells a process what is to happen to it at which point: one small file for each process.

The processes run the product as it is; ``tests.fault.part`` looks for the file at each point that it passes.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

Deed: TypeAlias = Literal["die", "fail", "stop"]


@dataclass(frozen=True, slots=True)
class Mischief:
    """``deed`` is done at the next passing of ``point``, such as ``after transcripts``, but for ``skip`` passings.

    Who is to die waits for ``linger_s`` first, so that what was settled too early is also committed.
    """

    point: str
    deed: Deed
    skip: int = 0
    linger_s: float = 0.0

    def arm(self, path: Path) -> None:
        """Put it where the process looks."""
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)))
        fresh.replace(path)


def take(path: Path, point: str) -> Mischief | None:
    """What is to happen now, at ``point``; it is not armed any more then."""
    try:
        mischief = Mischief(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    if mischief.point != point:
        return None
    if mischief.skip:
        Mischief(point, mischief.deed, mischief.skip - 1, mischief.linger_s).arm(path)
        return None
    path.unlink()
    return mischief
