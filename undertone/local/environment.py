"""The environment of the processes that `up` starts: what they need, and nothing that was meant for other programs."""

from collections.abc import Mapping, MutableMapping

from undertone.settings import Settings

DIRECT = ("localhost", "127.0.0.1", "::1")
SESSION_VARIABLES = ("PGCLIENTENCODING", "PGDATESTYLE", "PGGEQO", "PGOPTIONS", "PGTZ")
"""By these libpq changes how a server answers, whichever it is."""
_NO_PROXY = ("NO_PROXY", "no_proxy")


def ignore_session_variables(environment: MutableMapping[str, str]) -> None:
    """Take away the variables by which libpq would change the form of what we read and write."""
    for name in SESSION_VARIABLES:
        environment.pop(name, None)


def ignore_postgres_variables(environment: MutableMapping[str, str]) -> None:
    """Take away every variable of libpq: what they say of a server is not meant for the embedded one."""
    for name in [name for name in environment if name.startswith("PG")]:
        del environment[name]


def server_environment(outer: Mapping[str, str], locale: str) -> dict[str, str]:
    """What a server that is not ours gets: where programs are, and a locale that does not depend on the shell.

    A JVM reads options from variables (``JAVA_TOOL_OPTIONS``), and PostgreSQL and its programs read those of libpq.
    """
    return {"PATH": outer.get("PATH", "/usr/bin:/bin"), "LC_ALL": locale}


def without_loopback_proxy(outer: Mapping[str, str]) -> dict[str, str]:
    """The environment, in which what lies on this machine is asked without the proxy that it may name."""
    listed = next((outer[name] for name in reversed(_NO_PROXY) if outer.get(name)), "")
    direct = ",".join(dict.fromkeys([*filter(None, map(str.strip, listed.split(","))), *DIRECT]))
    return {**outer, **dict.fromkeys(_NO_PROXY, direct)}


def program_environment(outer: Mapping[str, str]) -> dict[str, str]:
    """What a program of ours gets: its text is UTF-8 whatever the locale says, and loopback has no proxy."""
    return {**without_loopback_proxy(outer), "PYTHONUTF8": "1"}


def kafka_environment(settings: Settings) -> dict[str, str]:
    """The settings that say where Kafka is and how to log in, as the variables that set them; unset ones are empty."""
    password = settings.kafka_password
    return {
        "UNDERTONE_KAFKA": settings.brokers(),
        "UNDERTONE_KAFKA_SECURITY": settings.kafka_security,
        "UNDERTONE_KAFKA_MECHANISM": settings.kafka_mechanism,
        "UNDERTONE_KAFKA_USER": settings.kafka_user or "",
        "UNDERTONE_KAFKA_PASSWORD": password.get_secret_value() if password else "",
        "UNDERTONE_KAFKA_CA": str(settings.kafka_ca or ""),
    }
