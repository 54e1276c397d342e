"""The folder of all state: held by one running instance, with its secret."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import SecretStr

from undertone.errors import FatalError
from undertone.settings import Settings


@contextlib.contextmanager
def hold_home(home: Path) -> Iterator[None]:
    """Keep ``home`` for this process alone during the block; it is made if need be.

    Raises ``FatalError`` if it cannot be written or if a running instance has it, naming that one's process.
    """
    owner = home / "up.pid"
    lock = FileLock(home / "lock", thread_local=False)
    try:
        (home / "logs").mkdir(parents=True, exist_ok=True)
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
        owner.write_text(f"{os.getpid()}\n")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


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


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text().strip()
    return "unknown"
