"""The jars of Apache Kafka: downloaded once into the cache, checked against pinned SHA-256 sums at every start.

``python -m undertone.local.jars`` writes ``kafka_jars.json`` anew, after a change of ``KAFKA`` or ``LOGGING``.
"""

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from undertone.errors import FatalError
from undertone.local.maven import download_jar, open_maven

KAFKA_VERSION = "4.3.1"
KAFKA = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"  # else the broker, which logs through slf4j, is mute
PINS = Path(__file__).with_name("kafka_jars.json")

Pins: TypeAlias = Mapping[str, str]
Tell: TypeAlias = Callable[[int, int], None]
"""Called with the number of jars that are there and the number of all."""


def read_pins() -> Pins:
    """SHA-256 (hex) by Maven coordinate, ``group:artifact:version``."""
    pins: Pins = json.loads(PINS.read_text())
    return pins


def jars_folder(cache: Path) -> Path:
    """Where ``provide_jars`` puts them."""
    return cache / f"kafka-{KAFKA_VERSION}"


def provide_jars(cache: Path, pins: Pins, tell: Tell | None = None) -> Path:
    """The folder under ``cache`` that holds exactly the pinned jars, each checked; missing ones are downloaded.

    ``tell`` may raise to stop a download; an interrupted one leaves nothing behind. Raises ``FatalError`` if a jar
    differs from its pin (and keeps it, so that it can be looked at), or if one is missing and cannot be downloaded.
    """
    folder = jars_folder(cache)
    if missing := _missing(folder, pins):
        folder.mkdir(parents=True, exist_ok=True)
        _download_all(missing, pins, folder, partial(_tell_from, tell, len(pins) - len(missing), len(pins)))
    check_jars(cache, pins)
    for stranger in {path.name for path in folder.iterdir()} - {_file_name(coordinate) for coordinate in pins}:
        (folder / stranger).unlink(missing_ok=True)  # the class path is the whole folder
    return folder


def check_jars(cache: Path, pins: Pins) -> int:
    """The number of jars that are missing. Raises ``FatalError`` if one that is there differs from its pin."""
    folder = jars_folder(cache)
    missing = _missing(folder, pins)
    for coordinate in pins.keys() - missing:
        check_sum(folder / _file_name(coordinate), pins[coordinate])
    return len(missing)


def check_sum(path: Path, pin: str) -> None:
    """Return if the file's SHA-256 is ``pin``, else raise ``FatalError`` naming both sums and the remedy."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != pin:
        raise FatalError(
            f"{path} is not the file it should be: its SHA-256 is {found}, expected is {pin}; "
            f"delete it and start again to download it anew"
        )


def _missing(folder: Path, pins: Pins) -> list[str]:
    return [coordinate for coordinate in pins if not (folder / _file_name(coordinate)).exists()]


def _tell_from(tell: Tell | None, before: int, count: int, done: int) -> None:
    if tell is not None:
        tell(before + done, count)


def _download_all(coordinates: list[str], pins: Pins, folder: Path, tell: Callable[[int], None]) -> None:
    with _fresh_folder(folder) as fresh, ThreadPoolExecutor(4) as pool:
        tell(0)
        maven = open_maven(fresh)
        paths = pool.map(lambda coordinate: _download(maven, coordinate), coordinates)
        try:
            for done, (coordinate, path) in enumerate(zip(coordinates, paths, strict=True), start=1):
                check_sum(path, pins[coordinate])
                path.replace(folder / path.name)
                tell(done)
        finally:
            pool.shutdown(cancel_futures=True)


def _download(maven: Any, coordinate: str) -> Path:
    try:
        return download_jar(maven, coordinate)
    except OSError as error:
        _, name, version = coordinate.split(":")
        raise FatalError(
            f"{name}-{version}.jar of Apache Kafka cannot be downloaded from Maven Central ({error}); "
            "the first start needs the network: connect it (HTTPS_PROXY is honoured), or copy the cache folder "
            "(UNDERTONE_CACHE) of a machine that has it, or set UNDERTONE_KAFKA to a running Kafka"
        ) from error


@contextmanager
def _fresh_folder(beside: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="download-", dir=beside.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _file_name(coordinate: str) -> str:
    _, name, version = coordinate.split(":")
    return f"{name}-{version}.jar"


def pin_jars() -> Pins:
    """Resolve Kafka's dependencies anew and return the sums of what Maven Central has now."""
    import jgo

    # LOGGING is not resolved: its parents would choose other versions of Kafka's own jars, and all it needs is there.
    coordinates = sorted({f"{a.groupId}:{a.artifactId}:{a.version}" for a in jgo.resolve(KAFKA)} | {LOGGING})
    here: AbstractContextManager[str] = tempfile.TemporaryDirectory()
    with here as folder:
        maven = open_maven(Path(folder))
        return {
            coordinate: hashlib.sha256(_download(maven, coordinate).read_bytes()).hexdigest()
            for coordinate in coordinates
        }


if __name__ == "__main__":
    PINS.write_text(json.dumps(pin_jars(), indent=1) + "\n")
    sys.stdout.write(f"{PINS.name}: {len(read_pins())} jars\n")
