"""Where a server is reached, as it knows itself, and what a proof of that is worth."""

from datetime import UTC, datetime

import pytest

from undertone.access.addresses import origin_of, own_origins
from undertone.access.proofs import make_proof, proven_origins
from undertone.tokens import sign

SECRET = "s" * 32
NONCE = "n" * 32
HERE = {"http://127.0.0.1:8120"}


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://LOCALHOST", "http://localhost:80"),
        ("https://undertone.example.org/x?y", "https://undertone.example.org:443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[0:0::1]:8000", "http://[::1]:8000"),
        ("http://[::ffff:127.0.0.1]:8000", "http://127.0.0.1:8000"),
    ],
)
def test_an_origin_always_has_its_port_and_an_address_has_one_form(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_a_server_is_reached_where_the_connection_arrived_and_not_where_the_client_says() -> None:
    scope = {"type": "http", "server": ("::ffff:127.0.0.1", 8120), "headers": [(b"host", b"127.0.0.1:8000")]}
    assert own_origins(scope, None) == HERE
    assert own_origins(scope, "https://undertone.example.org") == HERE | {"https://undertone.example.org:443"}


def test_a_proof_holds_for_its_nonce_and_its_secret_alone() -> None:
    now = datetime.now(UTC)
    proof = make_proof(SECRET, NONCE, HERE, now)
    assert proven_origins(SECRET, NONCE, proof) == HERE
    assert proven_origins(SECRET, "m" * 32, proof) == set()
    assert proven_origins("x" * 32, NONCE, proof) == set()
    for other in (proof[:-3] + "xxx", "", sign(SECRET, "link", {"sub": "server", "nonce": NONCE}, now, now - now)):
        assert proven_origins(SECRET, NONCE, other) == set()
