"""Reads the address of a server as people write it."""

from urllib.parse import urlsplit

from undertone.errors import FatalError
from undertone.proxies import is_direct


def read_base_url(text: str) -> str:
    """The address in its one form: with its scheme, the host in lower case, no slash at the end.

    Without a scheme it is http on this machine, and https anywhere else. Raises ``FatalError``.
    """
    given = text.strip()
    if "://" not in given:
        given = f"{'http' if is_direct(f'http://{given}') else 'https'}://{given}"
    try:
        parts = urlsplit(given)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _no_address(text) from error
    has_more = parts.query or parts.fragment or parts.username is not None
    if parts.scheme not in {"http", "https"} or not host or has_more:
        raise _no_address(text)
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{'' if port is None else f':{port}'}{parts.path.rstrip('/')}"


def _no_address(text: str) -> FatalError:
    return FatalError(f"{text!r} is no address of a server: --url http://127.0.0.1:8000, or https://host/path")
