"""How many files, and so connections, this process may have open."""

import resource


def raise_file_limit() -> int:
    """Raise the limit to what the system allows this process, and return it. Each connection is a file.

    Systems start programs with 1024 for the sake of old ones that use ``select``; ours do not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else hard
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)
