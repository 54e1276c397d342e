"""What of the environment reaches the parts, and what does not."""

from undertone.local.environment import (
    DIRECT,
    ignore_postgres_variables,
    ignore_session_variables,
    program_environment,
    server_environment,
)

LIBPQ = {"PGSSLMODE": "require", "PGSERVICE": "cloud", "PGCLIENTENCODING": "LATIN1", "PGTZ": "Asia/Seoul"}


def test_a_server_that_is_not_ours_gets_no_variable_but_those_it_needs() -> None:
    outer = {"PATH": "/bin", "LC_ALL": "POSIX", "JAVA_TOOL_OPTIONS": "-Xmx1m", "LD_PRELOAD": "x", **LIBPQ}
    assert server_environment(outer, "C.UTF-8") == {"PATH": "/bin", "LC_ALL": "C.UTF-8"}


def test_what_libpq_is_told_of_another_server_does_not_reach_the_embedded_one() -> None:
    environment = {"HOME": "/root", **LIBPQ}
    ignore_postgres_variables(environment)
    assert environment == {"HOME": "/root"}


def test_a_real_server_keeps_what_reaches_it_and_nothing_changes_how_it_answers() -> None:
    environment = {"PGPASSFILE": "/etc/pass", **LIBPQ}
    ignore_session_variables(environment)
    assert environment == {"PGPASSFILE": "/etc/pass", "PGSSLMODE": "require", "PGSERVICE": "cloud"}


def test_programs_ask_loopback_directly_and_keep_the_proxy_for_the_rest() -> None:
    given = program_environment({"HTTPS_PROXY": "http://proxy:3128", "no_proxy": "example.org, 10.0.0.1"})
    assert given["HTTPS_PROXY"] == "http://proxy:3128"
    assert given["NO_PROXY"] == given["no_proxy"] == ",".join(("example.org", "10.0.0.1", *DIRECT))
    assert given["PYTHONUTF8"] == "1"
