"""The environment of the processes that `up` starts: what they need, and nothing that was meant for other programs."""

from collections.abc import Mapping

from undertone.settings import Settings

DIRECT = ("localhost", "127.0.0.1", "::1")
_POSTGRES = "PG"
_NO_PROXY = ("NO_PROXY", "no_proxy")


def server_environment(outer: Mapping[str, str], locale: str) -> dict[str, str]:
    """What a server that is not ours gets: where programs are, and a locale that does not depend on the shell.

    A JVM reads options from variables (``JAVA_TOOL_OPTIONS``), and libpq takes every ``PG…`` for a setting.
    """
    return {"PATH": outer.get("PATH", "/usr/bin:/bin"), "LC_ALL": locale}


def program_environment(outer: Mapping[str, str]) -> dict[str, str]:
    """What a program of ours gets: the outer environment without the variables of libpq, with loopback unproxied.

    Text is UTF-8 in it whatever the locale says.
    """
    kept = {name: value for name, value in outer.items() if not name.startswith(_POSTGRES)}
    listed = next((outer[name] for name in reversed(_NO_PROXY) if outer.get(name)), "")
    direct = ",".join(dict.fromkeys([*filter(None, map(str.strip, listed.split(","))), *DIRECT]))
    return kept | dict.fromkeys(_NO_PROXY, direct) | {"PYTHONUTF8": "1"}


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
