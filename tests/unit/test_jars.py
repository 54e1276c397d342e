"""Kafka's jars: pinned, checked, and downloaded only if they are missing."""

import hashlib
from pathlib import Path

import pytest

from undertone.errors import FatalError
from undertone.local.jars import KAFKA_VERSION, check_jars, jars_folder, provide_jars, read_pins

COORDINATE = "org.example:small:1.0"
CONTENT = b"not really a jar"
PINS = {COORDINATE: hashlib.sha256(CONTENT).hexdigest()}


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    folder = jars_folder(tmp_path)
    folder.mkdir()
    path = folder / "small-1.0.jar"
    path.write_bytes(CONTENT)
    return path


def test_jars_that_are_there_are_checked_and_not_downloaded(tmp_path: Path, jar: Path) -> None:
    assert provide_jars(tmp_path, PINS) == jar.parent
    assert check_jars(tmp_path, PINS) == 0


def test_a_jar_of_another_version_does_not_stay_on_the_class_path(tmp_path: Path, jar: Path) -> None:
    stranger = jar.with_name("small-0.9.jar")
    stranger.write_bytes(CONTENT)
    provide_jars(tmp_path, PINS)
    assert [path.name for path in jar.parent.iterdir()] == [jar.name]


def test_a_jar_that_fails_its_checksum_names_both_sums_and_the_remedy(tmp_path: Path, jar: Path) -> None:
    jar.write_bytes(b"something else")
    found = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(FatalError, match=f"small-1.0.jar .*{found}.*{PINS[COORDINATE]}.*delete it"):
        provide_jars(tmp_path, PINS)


def test_without_a_network_the_cause_and_the_remedy_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(FatalError, match=r"cannot be downloaded .*network.*UNDERTONE_KAFKA"):
        provide_jars(tmp_path, read_pins())
    assert check_jars(tmp_path, read_pins()) == len(read_pins())
    assert [path.name for path in tmp_path.iterdir()] == [jars_folder(tmp_path).name]


def test_the_pins_are_of_the_version_that_is_run() -> None:
    kafkas = {coordinate for coordinate in read_pins() if coordinate.startswith("org.apache.kafka:")}
    assert f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}" in kafkas
    assert {coordinate.split(":")[2] for coordinate in kafkas} == {KAFKA_VERSION}
    assert all(len(pin) == 64 for pin in read_pins().values())
