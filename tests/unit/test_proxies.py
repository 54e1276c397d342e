"""Which addresses are asked through the proxy of the environment, and what is said of a proxy that cannot be used."""

import pytest

from undertone.errors import FatalError
from undertone.proxies import is_direct, open_async_client, open_client

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
UNUSABLE = ("socks5://127.0.0.1:9", "ftp://127.0.0.1:9", "not an address")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000",
        "http://127.8.9.1",
        "https://localhost",
        "HTTP://LOCALHOST:8000/",
        "http://undertone.localhost:8000",
        "http://localhost.:8000",
        "http://[::1]:8000",
        "http://[::ffff:127.0.0.1]:8000",
        "http://0.0.0.0:8000",
        "ws://127.0.0.1:8000/v1/sessions/x/audio?token=t",
    ],
)
def test_what_is_on_this_machine_has_no_proxy(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_direct(url)
    for proxy in UNUSABLE:
        for variable in VARIABLES[:3]:
            monkeypatch.setenv(variable, proxy)
        open_client(url).close()
        open_async_client(url)


@pytest.mark.parametrize(
    "url", ["https://undertone.example.org", "http://10.0.0.1", "http://localhost.example", "http://["]
)
def test_what_is_elsewhere_has_one(url: str) -> None:
    assert not is_direct(url)


@pytest.mark.parametrize("proxy", UNUSABLE[:2])
def test_a_proxy_that_cannot_be_used_is_named(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    for opened in (open_client, open_async_client):
        with pytest.raises(FatalError, match=r"cannot be used .*NO_PROXY"):
            opened("https://undertone.example.org")
