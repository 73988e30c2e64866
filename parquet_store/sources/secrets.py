"""Keys of providers: read from the environment or the system's keyring, and blacked out wherever text leaves here."""

import logging
import os
import re
from collections.abc import Mapping
from urllib.parse import urlencode

__all__ = ["fred_key", "hide_secrets_in_logs", "redacted", "redacted_url"]

FRED_KEY = "FRED_API_KEY"
_KEYRING_SERVICE = "engine"
_SECRET = re.compile(r"(?i)\b(api_key|crumb|token|apikey)=[^&\s'\"]*")
_SECRET_NAMES = ("api_key", "crumb", "token", "apikey")


def fred_key() -> str | None:
    """Return the key of the FRED API; None where there is none.

    It is the environment's ``FRED_API_KEY``, else what the keyring has under ``engine`` and that name, where the
    package keyring is installed.
    """
    return os.environ.get(FRED_KEY, "").strip() or _from_keyring(FRED_KEY)


def _from_keyring(name: str) -> str | None:
    try:
        import keyring  # noqa: PLC0415 - an optional package
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        return None
    try:
        found: str | None = keyring.get_password(_KEYRING_SERVICE, name)
    except KeyringError:  # no keyring on this machine, or a locked one
        return None
    return found or None


def redacted(text: str) -> str:
    """Return a text with the values of secret query parameters blacked out."""
    return _SECRET.sub(r"\1=REDACTED", text)


def redacted_url(url: str, query: Mapping[str, str]) -> str:
    """Return an address with its query, secrets blacked out."""
    shown = {name: "REDACTED" if name.lower() in _SECRET_NAMES else value for name, value in query.items()}
    return f"{url}?{urlencode(shown)}" if shown else url


def hide_secrets_in_logs() -> None:
    """Black out secrets in what the HTTP library logs, for users who turn its log on."""
    logger = logging.getLogger("urllib3.connectionpool")
    if _hide not in logger.filters:
        logger.addFilter(_hide)


def _hide(record: logging.LogRecord) -> bool:
    record.msg, record.args = redacted(record.getMessage()), ()
    return True
