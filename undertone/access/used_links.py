"""The one-time links that were used: an empty file for each, seen by all processes of a home, also after a restart."""

import os
import re
from datetime import datetime, timedelta
from pathlib import Path

from undertone.errors import Refusal

_NAME = re.compile(r"[A-Za-z0-9_-]{8,64}")
# Longer than any link is valid, whatever the clocks of the processes and of the file system are.
_KEPT = timedelta(days=2)


class UsedLinks:
    """Used links in a folder, which is made if need be."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def use(self, name: str, now: datetime) -> bool:
        """Record that a link is used; false if it was before, in this process or another.

        Raises ``Refusal`` where that cannot be recorded: the link stays good.
        """
        if not _NAME.fullmatch(name):
            return False
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._clean(now)
            return self._create(name)
        except OSError as error:
            raise Refusal(
                "link_unrecorded",
                "the server cannot write into its home that the link is used: log in with an API key, "
                "or let the server write there",
                status=503,
            ) from error

    def _create(self, name: str) -> bool:
        try:
            os.close(os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        return True

    def _clean(self, now: datetime) -> None:
        oldest_s = (now - _KEPT).timestamp()
        for file in self._folder.iterdir():
            try:
                if file.stat().st_mtime < oldest_s:
                    file.unlink(missing_ok=True)
            except FileNotFoundError:  # another process has cleaned
                continue
