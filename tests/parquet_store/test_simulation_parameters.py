"""The parameters of the simulated market are read from a file that says what is wrong with it."""

from pathlib import Path

import pytest

from parquet_store import EngineError, load_universe
from parquet_store.simulation import load_parameters
from parquet_store.simulation.parameters import PARAMETERS_FILE


def changed(folder: Path, old: str, new: str) -> Path:
    text = PARAMETERS_FILE.read_text(encoding="utf-8")
    assert old in text
    path = folder / "simulation.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_shipped_file_has_every_fund_of_the_universe() -> None:
    parameters = load_parameters()
    funds = {spec.name for spec in load_universe().series if spec.basis == "split_adjusted"} - {"BTC-USD"}
    assert set(parameters.funds) == set(parameters.listings) == funds


def test_each_kind_of_stress_comes_several_times() -> None:
    kinds = [episode.kind for episode in load_parameters().episodes]
    assert set(kinds) == set(load_parameters().kinds)
    assert min(kinds.count(kind) for kind in set(kinds)) >= 4


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('kind = "policy_tightening"', 'kind = "boom"', "no kind, fund or listing is called boom"),
        ("last = 2006-04-21", "last = 2006-02-06", "ends on 2006-02-06, not after its first day 2006-02-06"),
        ("first = 2006-02-06", "first = 2005-01-03", "episodes must begin after the origin 2005-01-03"),
        ("premium = 0.85", "premium = 0", "wrong entry at volatility.premium: Input should be greater than 0"),
        ("premium = 0.85", "premiums = 0.85", r"wrong entry at volatility\.premium"),
        ("premium = 0.85", "premium =", "is not valid TOML"),
        ('symbol = "IGV"', 'symbol = "IGW"', "no kind, fund or listing is called IGW"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence):
        load_parameters(changed(tmp_path, old, new))


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"nowhere\.toml cannot be read: No such file"):
        load_parameters(tmp_path / "nowhere.toml")
