"""The broker's configuration file, as Java reads it."""

import pytest

from undertone.local.kafka_properties import render, server_properties


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain, with = and : and #", "plain, with = and : and #"),
        ("C:\\temp", "C:\\\\temp"),
        (" leading", "\\ leading"),
        ("two\nlines\t", "two\\nlines\\t"),
        ("회의", "\\ud68c\\uc758"),
        ("😀", "\\ud83d\\ude00"),
    ],
)
def test_values_are_escaped(value: str, written: str) -> None:
    assert render({"name": value}) == f"name={written}\n"


def test_every_listener_asks_for_the_password_and_nothing_lies_outside_the_folder() -> None:
    given = server_properties(1, 2, "secret", {})
    protocols = dict(pair.split(":") for pair in given["listener.security.protocol.map"].split(","))
    assert set(protocols.values()) == {"SASL_PLAINTEXT"}
    listening = {listener.split("://")[0] for listener in given["listeners"].split(",")}
    assert listening == set(protocols)
    for name in listening:
        assert 'password="secret"' in given[f"listener.name.{name.lower()}.plain.sasl.jaas.config"]
    assert "/" not in given["log.dirs"]
