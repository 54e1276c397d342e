"""The decoder processes of a process, as tests look for them."""

from contextlib import suppress

import psutil


def decoders_of(parent: psutil.Process) -> list[psutil.Process]:
    """The decoder processes below ``parent``, and its zombies."""
    found = []
    for child in parent.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended since it was listed
            if child.status() == psutil.STATUS_ZOMBIE or "undertone.recording.worker" in child.cmdline():
                found.append(child)
    return found
