import tomllib
from datetime import date
from pathlib import Path

import pytest

from engine.strategies import ParameterError, StrategyError
from engine.sweep import GridError, load_grid, parse_grid
from parquet_store.errors import EngineError
from tests.conftest import ROOT

PAIR = {"strategy": {"name": "pair"}}


def grid_of(**tables: dict[str, object]) -> object:
    return parse_grid({**PAIR, **tables}, where="pair.toml")


def test_shipped_grid_spans_the_documented_ranges() -> None:
    grid = load_grid(ROOT / "configs" / "pair.toml")
    assert grid.shape == (51, 13, 2, 11)
    assert grid.size == 14_586
    assert (grid.axes["xlf_dma"][0], grid.axes["xlf_dma"][-1]) == (150, 250)
    assert grid.axes["hyg_drawdown"][:3] == (-0.02, -0.0225, -0.025)
    assert grid.axes["hyg_drawdown"][-1] == -0.05
    assert grid.axes["stop_loss"] == (-0.10, -0.11, -0.12, -0.13, -0.14, -0.15, -0.16, -0.17, -0.18, -0.19, -0.20)
    assert (grid.sample.first, grid.sample.last) == (date(2018, 1, 2), date(2026, 3, 6))


def test_quick_grid_has_about_five_hundred_combinations() -> None:
    assert load_grid(ROOT / "configs" / "pair_quick.toml").size == 550


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.toml")), ids=lambda path: path.name)
def test_every_shipped_grid_is_valid(path: Path) -> None:
    content = tomllib.loads(path.read_text())
    if "strategy" not in content:
        pytest.skip("not a grid")
    assert load_grid(path).size > 1


def test_range_values_are_exact_decimals() -> None:
    grid = grid_of(grid={"hyg_drawdown": {"start": -0.02, "stop": -0.05, "step": -0.001}})
    assert grid.axes["hyg_drawdown"] == tuple(float(f"-0.0{k}") for k in range(20, 51))


def test_range_includes_both_ends_and_keeps_whole_numbers() -> None:
    grid = grid_of(grid={"xlf_dma": {"start": 150, "stop": 250, "step": 50}})
    assert grid.axes["xlf_dma"] == (150, 200, 250)
    assert all(isinstance(value, int) for value in grid.axes["xlf_dma"])


def test_numbers_are_kept_in_order_so_that_neighbours_are_neighbours() -> None:
    axes = grid_of(grid={"xlf_dma": [200, 150, 250], "stop_loss": [-0.1, -0.2], "basket_weights": ["equal"]}).axes
    assert axes == {"xlf_dma": (150, 200, 250), "stop_loss": (-0.1, -0.2), "basket_weights": ("equal",)}


def test_a_byte_order_mark_is_no_statement(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text('[strategy]\nname = "pair"\n', encoding="utf-8-sig")
    assert load_grid(path).size == 1


def test_hash_names_the_trials_and_not_their_ranking() -> None:
    grid = {"xlf_dma": [150, 200]}
    ranked = [grid_of(grid=grid, evaluate={"metric": metric}).hash() for metric in ("sharpe", "calmar")]
    assert ranked[0] == ranked[1]
    assert grid_of(grid={"xlf_dma": [150, 201]}).hash() != ranked[0]
    assert grid_of(grid=grid, costs={"slippage_bps": 1}).hash() != ranked[0]


BAD = [
    ({"grid": {"xlf_dna": [150]}}, ParameterError, ["xlf_dna", "pair.toml", "xlf_dma"]),
    ({"grid": {"xlf_dma": {"start": 250, "stop": 150, "step": 2}}}, GridError, ["xlf_dma", "250", "150", "exchange"]),
    ({"grid": {"xlf_dma": {"start": 150, "stop": 250, "step": 0}}}, GridError, ["xlf_dma", "step = 0"]),
    ({"grid": {"xlf_dma": {"start": 150, "stop": 251, "step": 2}}}, GridError, ["xlf_dma", "251", "use stop = 250"]),
    ({"grid": {"xlf_dma": {"start": 150, "stop": 250}}}, GridError, ["xlf_dma", "start, stop, step"]),
    ({"grid": {"xlf_dma": {"start": 150, "stop": "x", "step": 1}}}, GridError, ["xlf_dma", "three numbers"]),
    ({"grid": {"xlf_dma": {"start": True, "stop": 3, "step": 1}}}, GridError, ["xlf_dma", "three numbers"]),
    ({"grid": {"xlf_dma": []}}, GridError, ["xlf_dma", "empty"]),
    ({"grid": {"xlf_dma": [150, 150]}}, GridError, ["xlf_dma", "twice"]),
    ({"grid": {"xlf_dma": [150, 150.0]}}, GridError, ["xlf_dma", "twice"]),
    ({"grid": {"xlf_dma": 150}}, GridError, ["xlf_dma", "150", "list"]),
    ({"grid": {"xlf_dma": {"start": 150, "stop": 1e300, "step": 1}}}, GridError, ["xlf_dma", "at most 100,000"]),
    ({"grid": {"xlf_dma": [10**23]}}, ParameterError, ["xlf_dma", "less than or equal to 25200"]),
    ({"grid": {"xlf_dma": ["200"]}}, ParameterError, ["xlf_dma", "200", "integer"]),
    ({"grid": {"reclaim_sessions": [True, 5]}}, ParameterError, ["reclaim_sessions", "True", "integer"]),
    ({"grid": {"rearm": [0, 1]}}, ParameterError, ["rearm", "0", "true or false"]),
    (
        {"grid": {"market_cap": [{"date": date(2026, 5, 3), "XLE": 1, "XLB": 1, "XLU": 1}]}},
        GridError,
        ["market_cap", "[strategy.market_cap]"],
    ),
    ({"sample": {"first": 20180102}}, GridError, ["first", "20180102", "a day is wanted"]),
    ({"costs": {"slippage_bps": float("nan")}}, GridError, ["slippage_bps", "nan", "finite"]),
    ({"grid": {"xlf_dma": ["long"]}}, ParameterError, ["xlf_dma", "long", "integer"]),
    ({"grid": {"stop_loss": [0.1]}}, ParameterError, ["stop_loss", "0.1", "less than 0"]),
    ({"grid": {"basket_weights": ["value"]}}, ParameterError, ["basket_weights", "value", "equal"]),
    ({"strategy": {"name": "pear"}}, StrategyError, ["pear", "pair"]),
    ({"strategy": {}}, GridError, ["name"]),
    ({"strategy": {"name": "pair", "stop": -0.1}}, ParameterError, ["stop", "stop_loss"]),
    ({"strategy": {"name": "pair", "xlf_dma": 200}, "grid": {"xlf_dma": [150]}}, GridError, ["xlf_dma", "keep one"]),
    ({"sample": {"first": date(2020, 1, 1), "last": date(2019, 1, 1)}}, GridError, ["2020-01-01", "exchange"]),
    ({"sample": {"warmup": "outside"}}, GridError, ["warmup", "outside", "inside"]),
    ({"sample": {"start": date(2020, 1, 1)}}, GridError, ["start", "first"]),
    ({"costs": {"commission_bps": -1}}, GridError, ["commission_bps", "-1"]),
    ({"costs": {"fee": 1}}, GridError, ["fee", "commission_bps"]),
    ({"evaluate": {"metric": "beauty"}}, GridError, ["metric", "beauty", "sharpe"]),
    ({"grids": {}}, GridError, ["grids", "[grid]"]),
    ({"grid": 3}, GridError, ["grid", "table"]),
]


@pytest.mark.parametrize(("tables", "error", "words"), BAD, ids=lambda value: str(value)[:60])
def test_bad_grid_names_the_key_the_value_and_the_remedy(
    tables: dict[str, object], error: type[EngineError], words: list[str]
) -> None:
    with pytest.raises(error) as caught:
        parse_grid({**PAIR, **tables}, where="pair.toml")
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"), [("[strategy\n", ["TOML", "line 1"]), (None, ["cannot read", "no such file"])]
)
def test_unreadable_grid_file(tmp_path: Path, text: str | None, words: list[str]) -> None:
    path = tmp_path / "grid.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(GridError) as caught:
        load_grid(path)
    assert all(word in str(caught.value) for word in [*words, "grid.toml"]), str(caught.value)
