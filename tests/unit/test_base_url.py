"""Addresses of servers as people write them."""

import pytest

from undertone.base_url import read_base_url
from undertone.errors import FatalError


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("HTTP://LocalHost:8000//", "http://localhost:8000"),
        ("https://Undertone.Example.ORG", "https://undertone.example.org"),
        ("https://example.org/Undertone/", "https://example.org/Undertone"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost"),
        ("[::1]:8000/", "http://[::1]:8000"),
        ("undertone.example.org", "https://undertone.example.org"),
        ("Example.org:8443/undertone/", "https://example.org:8443/undertone"),
        (" http://127.0.0.1:8000\n", "http://127.0.0.1:8000"),
    ],
)
def test_an_address_has_one_form(given: str, read: str) -> None:
    assert read_base_url(given) == read
    assert read_base_url(read) == read


@pytest.mark.parametrize(
    "given",
    [
        *("", "http://", "ftp://example.org", "http://[", "http://127.0.0.1:port", "http://127.0.0.1:99999"),
        *("http://user:secret@example.org", "http://example.org/?a=b", "http://127.0.0.1:8000/login#link", "/record"),
    ],
)
def test_what_is_no_address_is_refused_in_words(given: str) -> None:
    with pytest.raises(FatalError, match=r"is no address of a server: --url http://127\.0\.0\.1:8000"):
        read_base_url(given)
