"""API keys: a file with a line for each, ``NAME RIGHT[,RIGHT] SHA-256``, since ingest must do without a database.

A key is 256 random bits, so a plain hash is right: nobody can guess one, and slow hashes are for what people think up.
The file is read again when it changes: a key that is dropped opens nothing from then on.
"""

import hashlib
import logging
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from filelock import FileLock, Timeout

from undertone.access.rights import Right, read_rights
from undertone.errors import FatalError
from undertone.local.home import write_private

PREFIX = "undertone_"
"""Every key begins so, for people and for programs that look for secrets where none should be."""

_LOCKED_WITHIN_S = 10.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ApiKey:
    """A key as the file knows it; the key itself is nowhere but with its user."""

    name: str
    rights: frozenset[Right]
    digest: str

    def line(self) -> str:
        """Its line in the file."""
        return f"{self.name} {','.join(sorted(self.rights))} {self.digest}"


def digest_of(key: str) -> str:
    """The SHA-256 of a key, in hexadecimal digits."""
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()


def read_keys(path: Path) -> dict[str, ApiKey]:
    """The keys in the file, by name; none if there is no file. Raises ``FatalError`` naming a line that is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise FatalError(f"the keys in {path} cannot be read: {error}") from error
    found: dict[str, ApiKey] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        key = _read_line(line)
        if key is None or key.name in found:
            raise FatalError(f"line {number} of {path} is no key, or has a name that is taken: NAME RIGHTS SHA-256")
        found[key.name] = key
    return found


def make_key(path: Path, name: str, rights: Iterable[Right]) -> str:
    """Add a key to the file and return it; it is not kept, so this is the only time it can be shown.

    Raises ``FatalError`` for a name that is taken or will not do, and for a file that cannot be read or written.
    """
    if not _NAME.fullmatch(name):
        raise FatalError(f"{name!r} is no name for a key: letters, digits and _ . @ -, at most 64")
    with _locked(path):
        keys = read_keys(path)
        if name in keys:
            raise FatalError(f"there is a key {name} already: drop it first, or choose another name")
        key = PREFIX + secrets.token_urlsafe(32)
        _write_keys(path, {**keys, name: ApiKey(name, frozenset(rights), digest_of(key))})
    return key


def drop_key(path: Path, name: str) -> None:
    """Take a key out of the file. Raises ``FatalError`` if there is none of that name."""
    with _locked(path):
        keys = read_keys(path)
        if keys.pop(name, None) is None:
            raise FatalError(f"there is no key {name}: `undertone keys list` shows those that there are")
        _write_keys(path, keys)


class Keyring:
    """The keys that are in force: the file's, read again when it changes, and at each question until it can be read."""

    def __init__(self, path: Path) -> None:
        """Raises ``FatalError`` if the file is there and cannot be read."""
        self._path = path
        self._state = _state_of(path)
        self._keys: Mapping[str, ApiKey] = read_keys(path)
        self._trouble: str | None = None

    def find(self, key: str) -> ApiKey | None:
        """The key as the file knows it."""
        digest = digest_of(key)
        return next((known for known in self._current().values() if known.digest == digest), None)

    def named(self, name: str, digest: str) -> ApiKey | None:
        """The key of that name, if it is still the same one."""
        known = self._current().get(name)
        return known if known is not None and known.digest == digest else None

    def digests(self) -> list[str]:
        """The digests of all keys."""
        return [known.digest for known in self._current().values()]

    def is_empty(self) -> bool:
        """Whether there are no keys."""
        return not self._current()

    def _current(self) -> Mapping[str, ApiKey]:
        state = _state_of(self._path)
        if state != self._state or self._trouble is not None:
            self._state, self._keys = state, {}
            try:
                self._keys, self._trouble = read_keys(self._path), None
            except FatalError as error:
                # What keeps the file from being read need not be seen in its state, such as the rights of a folder.
                if str(error) != self._trouble:
                    log.error("%s; until it is mended no key opens anything", error)  # noqa: TRY400 - the line says all
                self._trouble = str(error)
        return self._keys


_State: TypeAlias = tuple[int, int, int, int] | None


def _state_of(path: Path) -> _State:
    """What differs after a change of the file's content, owner or mode."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other commands from changing the file during the block. Raises ``FatalError`` if one does for too long."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Other users may not open the lock: whoever can could hold it for as long as they like.
        lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600)
        lock.acquire(timeout=_LOCKED_WITHIN_S)
    except Timeout as error:
        raise FatalError(f"another command has been changing {path} for {_LOCKED_WITHIN_S:.0f} s: end it") from error
    except OSError as error:
        raise _not_written(path, error) from error
    try:
        yield
    finally:
        lock.release()


def _read_line(line: str) -> ApiKey | None:
    words = line.split()
    if len(words) != 3 or not _NAME.fullmatch(words[0]) or not _DIGEST.fullmatch(words[2]):
        return None
    try:
        return ApiKey(words[0], read_rights(words[1].split(",")), words[2])
    except ValueError:
        return None


def _write_keys(path: Path, keys: Mapping[str, ApiKey]) -> None:
    try:
        write_private(path, "".join(f"{key.line()}\n" for key in keys.values()))
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> FatalError:
    return FatalError(f"{path} cannot be written ({error.strerror}): set UNDERTONE_KEYS or --home")
