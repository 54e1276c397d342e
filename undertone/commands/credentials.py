"""What the command line shows to a server, so that its owner needs no key on the same machine."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from undertone.access.logins import make_command_login
from undertone.local.home import with_secrets
from undertone.local.ports import is_loopback
from undertone.settings import Settings, read_settings


def credential_for(url: str, settings: Settings | None = None) -> str | None:
    """The key that is set, or for a server on this machine a login made with the home's secret; else None."""
    known = with_secrets(settings or read_settings())
    if known.key is not None:
        return known.key.get_secret_value()
    if known.secret is None or not is_loopback(urlsplit(url).hostname or ""):
        return None
    return make_command_login(known, url, datetime.now(UTC))
