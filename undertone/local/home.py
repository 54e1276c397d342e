"""The folder of all state: held by one running instance, closed to other users, with its secret."""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import SecretStr

from undertone.errors import FatalError
from undertone.settings import Settings

ENTRIES = frozenset(
    {
        *("kafka", "kafka-address", "kafka-password", "postgres", "postgres-password", "postgres.new-password"),
        *("logs", "secret", "secret.before", "keys", "lock", "up.pid"),
    }
)
"""What a home holds, by its names; ``.new`` behind one is what is still being written."""


@contextlib.contextmanager
def hold_home(home: Path) -> Iterator[None]:
    """Keep ``home`` for this process alone during the block; it is made if need be, and closed to other users.

    Raises ``FatalError`` if it cannot be written, if others may write into it, or if a running instance has it, naming
    that one's process.
    """
    owner = home / "up.pid"
    lock = FileLock(home / "lock", mode=0o600, thread_local=False)
    try:
        make_home(home)
        make_private_folder(home / "logs")
        lock.acquire(timeout=0)
    except Timeout as error:
        raise FatalError(
            f"{home} is already in use by a running Undertone (process {_read(owner)}): "
            "stop that one, or choose another folder with --home"
        ) from error
    except OSError as error:
        raise FatalError(
            f"{home} cannot be written ({error.strerror or error}): give yourself the right to, "
            "or choose another folder with --home"
        ) from error
    try:
        close_home(home)
        write_private(owner, f"{os.getpid()}\n")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def check_names(*folders: Path) -> None:
    """Raise ``FatalError`` for a name that is no text: Java cannot open what lies there."""
    for folder in folders:
        try:
            str(folder).encode()
        except UnicodeEncodeError as error:
            raise FatalError(
                f"the name of the folder {str(folder)!a} is not UTF-8: choose another with --home or UNDERTONE_CACHE"
            ) from error


def make_home(home: Path) -> None:
    """Make the folder if there is none: its owner alone can list it. Raises ``OSError``."""
    if not home.exists():
        home.mkdir(mode=_home_mode(), parents=True, exist_ok=True)
        home.chmod(_home_mode())  # the umask may have taken more


def close_home(home: Path) -> None:
    """Take from other users what an earlier version, or the umask, has left open of a home.

    A home that also holds what is not ours, such as a folder of several programs, keeps its own mode. Raises
    ``FatalError`` if others could then replace what is in it, or have put something there already.
    """
    entries = list(home.iterdir())
    ours = [entry for entry in entries if entry.name.removesuffix(".new") in ENTRIES and entry.exists()]
    for entry in ours:
        if entry.stat().st_uid not in {0, os.geteuid()} and os.geteuid() != 0:
            raise FatalError(
                f"{entry} belongs to another user: remove it if you know why, or choose another folder with --home"
            )
        _close(entry, 0o700 if entry.is_dir() else 0o600)
    if len(ours) == len(entries):
        _close(home, _home_mode())
    status = home.stat()
    is_everybodys = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
    if is_everybodys and status.st_uid == os.geteuid():
        raise FatalError(
            f"every user may replace what is in {home}: take that right from them (chmod o-w), "
            "or choose a folder of its own with --home"
        )


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those that lead to it, if there is none; its owner alone can enter it. Raises ``OSError``."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _close(folder, 0o700)


def keep_secret(path: Path) -> str:
    """A secret of 64 hexadecimal digits: made at the first call, kept in a file for its owner's eyes alone."""
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return path.read_text().strip()


def with_secrets(settings: Settings) -> Settings:
    """The settings with the home's ``secret`` and ``secret.before``, where others are not set and we may read these."""
    changes: dict[str, object] = {}
    for name, file in (("secret", "secret"), ("secret_before", "secret.before")):
        if settings.secret is None:
            with contextlib.suppress(OSError):
                changes[name] = SecretStr((settings.home / file).read_text().strip())
    return settings.model_copy(update=changes)


def write_private(path: Path, text: str, owner: tuple[int, int] | None = None) -> None:
    """Write a file, whole or not at all, that its owner (user and group id; default: we) alone can read."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    if owner is not None:
        os.chown(fresh, *owner)
    fresh.replace(path)


def _home_mode() -> int:
    """Under root PostgreSQL runs as another user, who has to pass the home and need not list it."""
    return 0o711 if os.geteuid() == 0 else 0o700


def _close(path: Path, most: int) -> None:
    """Take every right away that is not in ``most``, where the path is ours."""
    status = path.stat()
    if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) & ~most:
        path.chmod(stat.S_IMODE(status.st_mode) & most)


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text().strip()
    return "unknown"
