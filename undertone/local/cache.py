"""The folder of downloads: public, so that other users may read it, and only its owner may write it."""

import contextlib
import os
import stat
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def close_cache(cache: Path) -> None:
    """Take from other users the right to change what is in the cache, where it is ours to take.

    Files are checked when they come, and jars at each start; weights, which are large, only by their size and time.
    """
    for folder, _, names in os.walk(cache):
        for path in (Path(folder), *(Path(folder, name) for name in names)):
            with contextlib.suppress(FileNotFoundError):  # a download that comes to its end meanwhile
                status = path.lstat()
                if status.st_uid == os.geteuid() and status.st_mode & _OTHERS_WRITE and not path.is_symlink():
                    path.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS_WRITE)
