"""The universe that the project ships, and the messages of one that is wrong."""

import pytest

from parquet_store import EngineError, load_universe

PRICES = [
    "SPY",
    "QQQ",
    "IWM",
    "XLE",
    "XLB",
    "XLU",
    "XLF",
    "XLI",
    "XLP",
    "XLV",
    "XLY",
    "IGV",
    "HYG",
    "LQD",
    "TLT",
    "BTC-USD",
    "VIX",
    "^GSPC",
]
MACRO = [
    "BAMLH0A0HYM2",
    "BAMLC0A0CM",
    "BAA",
    "DBAA",
    "BAA10Y",
    "DGS10",
    "DTB3",
    "VIXCLS",
    "UNRATE",
    "CDX_NA_HY_5Y",
]


def test_shipped_universe_holds_every_series_of_the_research():
    universe = load_universe()
    assert [spec.name for spec in universe.series if spec.kind == "price"] == PRICES
    assert [spec.name for spec in universe.series if spec.kind == "macro"] == MACRO
    assert {universe[name].unit for name in MACRO} == {"percent", "index", "basis_points"}
    assert universe["BAMLH0A0HYM2"].proxies == ("BAA10Y",)


def test_series_are_found_by_every_name():
    universe = load_universe()
    assert universe["^VIX"] is universe["VIX"]
    assert universe.find("nothing") is None
    with pytest.raises(EngineError, match=r"no series 'nothing' in the universe; it has SPY, "):
        universe["nothing"]


VALID = """
[[series]]
name = "A"
kind = "macro"
title = "a"
source = "fred"
symbol = "A"
unit = "percent"
calendar = "bond"
known = "next_session_morning"
stale_after_days = 7
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("kind =", "kynd ="), r"series\.0\.kind: Field required|series\.0\.kynd: Extra inputs"),
        (('"bond"', '"lunar"'), r"series\.0\.calendar: Input should be 'nyse', 'bond', 'daily' or 'monthly'"),
        (("= 7", "= 0"), r"series\.0\.stale_after_days: Input should be greater than 0"),
        (('"macro"', '"price"'), "a price needs a basis, and only a price has one"),
        (("title", 'proxies = ["B"]\ntitle'), "proxies that are not series: B"),
        ((VALID, VALID + VALID), "the name 'A' stands for two series"),
        (("[[series]]", "[[series"), "is not valid TOML"),
    ],
)
def test_wrong_entries_are_named(tmp_path, change, message):
    path = tmp_path / "universe.toml"
    path.write_text(VALID.replace(*change))
    with pytest.raises(EngineError, match=message) as raised:
        load_universe(path)
    assert "universe.toml" in str(raised.value)


def test_absent_file(tmp_path):
    with pytest.raises(EngineError, match="cannot be read"):
        load_universe(tmp_path / "absent.toml")


def test_universe_of_ones_own(tmp_path):
    path = tmp_path / "universe.toml"
    path.write_text(VALID)
    assert load_universe(path).names == ("A",)
