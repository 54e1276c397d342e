"""Whom PostgreSQL runs as: us, or under root somebody else, since it refuses to run as root.

The server needs no entry in ``passwd``, and its data should be nobody else's, so under root it runs as a user that
nobody is. ``initdb`` wants an entry: it runs as a user that there is, and the data change hands afterwards.
"""

import os
import pwd
import stat
import sys
from pathlib import Path
from typing import TypeAlias

from undertone.errors import FatalError

User: TypeAlias = tuple[int, int]
"""User and group id."""

UNUSED_IDS = range(60_578, 61_184)
"""Ids that no system gives away: between those of people and services and those that systemd makes up."""
_CAPABILITIES = {"CHOWN": 0, "KILL": 5, "SETGID": 6, "SETUID": 7}
_TO_ENTER = {"SETPCAP": 8}
_ENTER = (1, 2)


def user_of_initdb() -> User | None:
    """The user that makes data: None for us. Raises ``FatalError`` if nobody who may has an entry in ``passwd``."""
    if os.geteuid() != 0:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError as error:
            raise FatalError(
                f"the embedded PostgreSQL makes its data only for a user of this machine, and the user id "
                f"{os.geteuid()} has no entry in passwd: start as a user who has, or set UNDERTONE_DATABASE"
            ) from error
        return None
    known = [entry for entry in pwd.getpwall() if entry.pw_uid != 0 and _is_mapped(entry.pw_uid)]
    known.sort(key=lambda entry: entry.pw_name != "nobody")
    if not known:
        raise FatalError(
            "the embedded PostgreSQL does not run as root, and passwd has no other user: add one (useradd undertone), "
            "or set UNDERTONE_DATABASE"
        )
    return known[0].pw_uid, known[0].pw_gid


def user_of_server(data: Path) -> User | None:
    """The user that the server runs as, for data that are there or will be: None for us."""
    if os.geteuid() != 0:
        return None
    if data.exists():
        status = data.stat()
        if status.st_uid not in {0, _nobody()}:
            return status.st_uid, status.st_gid
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    free = next((one for one in UNUSED_IDS if one not in taken and _is_mapped(one)), None)
    return user_of_initdb() if free is None else (free, free)


def check_rights(home: Path, programs: Path) -> None:
    """Raise ``FatalError`` if the server could not be started in a home, before anything is written there."""
    if not (home / "postgres" / "PG_VERSION").exists():
        user_of_initdb()
    if os.geteuid() != 0:
        return
    has = _capabilities()
    if not all(has >> number & 1 for number in _CAPABILITIES.values()):
        raise FatalError(
            "the embedded PostgreSQL does not run as root, and root may not become another user here: give the "
            f"container the capabilities {', '.join(_CAPABILITIES)}, start as another user, or set UNDERTONE_DATABASE"
        )
    closed = [path for path in (home, programs) if not is_open(path / "postgres")]
    if closed and not (has >> _TO_ENTER["SETPCAP"] & 1 and any(has >> number & 1 for number in _ENTER)):
        raise FatalError(
            f"the embedded PostgreSQL does not run as root, and only root may enter {closed[0]}: choose a place that "
            "other users may pass, start as another user, or set UNDERTONE_DATABASE"
        )


def hand_over(data: Path, user: User) -> None:
    """Make the data those of ``user``; the folder itself last, so that what was interrupted is done again."""
    if data.stat().st_uid == user[0]:
        return
    for folder, folders, names in os.walk(data):
        for name in (*folders, *names):
            os.chown(Path(folder, name), *user, follow_symlinks=False)
    os.chown(data, *user)


def is_open(path: Path) -> bool:
    """Whether everybody may enter the folders that lead to ``path``, as far as there are any."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.absolute().parents if parent.exists())


def _nobody() -> int | None:
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return None


def _is_mapped(user_id: int) -> bool:
    """Whether the id is one of this container: many have only the first 65,536."""
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return True
    ranges = [(int(first), int(count)) for first, _, count in (line.split() for line in lines)]
    return any(first <= user_id < first + count for first, count in ranges)


def _capabilities() -> int:
    """The effective capabilities as bits; where there is no such thing, root has what root needs, but to enter."""
    if sys.platform != "linux":
        return sum(1 << number for number in _CAPABILITIES.values())
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("CapEff:")).split()[1], 16)
