"""What leaves and what comes in: bounded bodies, secrets, and a light package."""

import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import ModuleType

import pytest

import parquet_store
from parquet_store import EngineError
from parquet_store.sources import find_source
from parquet_store.sources import http as plain_http
from parquet_store.sources.interface import PassingFault, WrongAnswer
from parquet_store.sources.secrets import fred_key, hide_secrets_in_logs, redacted, redacted_url


def test_bodies_are_bounded(monkeypatch):
    monkeypatch.setattr(plain_http, "MAX_BYTES", 2**20)
    assert plain_http.bounded([b"a" * 2**19, b"b" * 2**19], float("inf"))
    with pytest.raises(WrongAnswer, match="more than 1 MiB"):
        plain_http.bounded((b"x" * 2**18 for _ in range(10**9)), float("inf"))
    with pytest.raises(PassingFault, match="too slowly"):
        plain_http.bounded([b"x"], 0.0)


def test_retry_after_is_a_number_or_a_date():
    assert plain_http.retry_after(None) is None
    assert plain_http.retry_after("7") == 7.0
    assert plain_http.retry_after("soon") is None
    soon = datetime.now(UTC) + timedelta(seconds=90)
    assert 80.0 < (plain_http.retry_after(format_datetime(soon, usegmt=True)) or 0.0) <= 90.0


def test_secrets_are_blacked_out():
    assert redacted("GET /x?api_key=abc123&id=A crumb=q") == "GET /x?api_key=REDACTED&id=A crumb=REDACTED"
    assert redacted_url("http://h/x", {"api_key": "abc", "id": "A"}) == "http://h/x?api_key=REDACTED&id=A"
    assert redacted_url("http://h/x", {}) == "http://h/x"


def test_the_http_librarys_log_shows_no_key(caplog):
    hide_secrets_in_logs()
    hide_secrets_in_logs()
    with caplog.at_level(logging.DEBUG, "urllib3.connectionpool"):
        logging.getLogger("urllib3.connectionpool").debug('%s "GET %s"', "http://h", "/x?api_key=abc123&id=A")
    assert caplog.messages == ['http://h "GET /x?api_key=REDACTED&id=A"']


def test_the_key_comes_from_the_environment_else_the_keyring(monkeypatch):
    kept = {("engine", "FRED_API_KEY"): "from the keyring"}
    keyring, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    keyring.get_password = lambda service, name: kept.get((service, name))
    errors.KeyringError = type("KeyringError", (Exception,), {})
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    monkeypatch.setenv("FRED_API_KEY", "from the environment")
    assert fred_key() == "from the environment"
    monkeypatch.setenv("FRED_API_KEY", " ")
    assert fred_key() == "from the keyring"
    kept.clear()
    assert fred_key() is None

    def locked(service, name):
        raise errors.KeyringError(service, name)

    keyring.get_password = locked
    assert fred_key() is None


@pytest.mark.parametrize("name", ["nowhere", "interface", "../fred", "os"])
def test_a_source_that_does_not_exist_is_named(name):
    with pytest.raises(EngineError, match=f"the universe names the source '{name}', which does not exist"):
        find_source(name)


def test_every_source_of_the_universe_exists():
    assert {find_source(name).title for name in ("fred", "yahoo", "cboe")} == {"FRED", "Yahoo", "Cboe"}


def test_importing_the_package_loads_no_client():
    code = (
        "import sys, parquet_store, parquet_store.fetching, parquet_store.sources.yahoo; "
        "print(sorted({'pandas', 'yfinance', 'requests', 'curl_cffi', 'keyring'} & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_yahoos_client_can_be_started_before_anything_heavy_is_imported():
    code = (
        "import sys, parquet_store.yahoo_client; print(sorted({'polars', 'pydantic', 'yfinance'} & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_the_package_offers_what_it_lists():
    listed = [name for names in parquet_store._MODULES.values() for name in names]
    assert sorted(listed) == sorted(parquet_store.__all__)
    assert all(hasattr(parquet_store, name) for name in listed)
    with pytest.raises(AttributeError, match="module 'parquet_store' has no attribute 'nothing'"):
        parquet_store.nothing  # noqa: B018
