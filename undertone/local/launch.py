"""A tiny launcher that turns into the program it starts: run by its path, with the standard library alone.

It ties the program's life to its parent's and, where asked, gives up root. The arguments are one JSON object
(``Launch``) and then the program's own command line. It is a process of its own because none of this is safe
between ``fork`` and ``exec`` in a Python that has threads.
"""

import ctypes
import json
import os
import signal
import sys
from typing import NoReturn, TypedDict

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAPABILITY_VERSION_3 = 0x20080522


class Launch(TypedDict):
    """What the launcher does before it becomes the program.

    ``parent``: the process whose death sends ``death_signal`` to the program (Linux; elsewhere nothing does).
    ``umask``: the program's. ``user``: user and group id to become, or None. ``enter_folders``: whether the new user
    may pass folders that only root may enter (Linux, by a capability), for a home or an environment below ``/root``.
    """

    parent: int
    death_signal: int
    umask: int
    user: tuple[int, int] | None
    enter_folders: bool


def main() -> NoReturn:
    """Become the program. Exits with 1 and a line on stderr if it cannot be started."""
    launch: Launch = json.loads(sys.argv[1])
    command = sys.argv[2:]
    os.umask(launch["umask"])
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if launch["user"] is not None:
        user_id, group_id = launch["user"]
        if libc is not None and launch["enter_folders"]:
            # Else access(2), by which initdb looks for its programs, judges by the user alone.
            _check(libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
        os.setgroups([])
        os.setgid(group_id)
        os.setuid(user_id)
        if libc is not None and launch["enter_folders"]:
            _keep_one_capability(libc)
    if libc is not None:
        libc.prctl(PR_SET_PDEATHSIG, launch["death_signal"], 0, 0, 0)  # a change of user would clear it
        if os.getppid() != launch["parent"]:
            os.kill(os.getpid(), signal.SIGKILL)
    try:
        os.execv(command[0], command)  # noqa: S606 - the point of this module
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error}")


def _keep_one_capability(libc: ctypes.CDLL) -> None:
    """Give up every capability but one that enters folders, and hand that on to the program.

    Containers often have only the one that also writes.
    """
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        mask = 1 << capability
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)  # effective, permitted, inheritable; the high words
        if libc.capset(header, sets) == 0:
            _check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0))
            return
    _check(-1)


def _check(result: int) -> None:
    if result != 0:
        sys.exit(f"the right to enter folders cannot be kept: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
