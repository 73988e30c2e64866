"""Every strategy describes itself completely, on the terminal and as JSON."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from engine.describe import describe, describe_all, shipped_grid
from engine.report.strategies import render_strategy, strategies_json, strategy_json
from engine.report.tables import value_text
from engine.strategies import ParameterError, StrategyError, find_strategy, parse_parameters, strategy_names
from tests.conftest import ROOT, Engine

HEAVY = {"vectorbt", "pandas", "plotly", "arch", "statsmodels", "duckdb"}


@pytest.mark.parametrize("name", strategy_names())
def test_every_parameter_says_what_it_is(name: str) -> None:
    strategy, described = find_strategy(name), describe(name)
    assert {parameter.name for parameter in described.parameters} == set(strategy.parameters.model_fields)
    for parameter in described.parameters:
        assert parameter.meaning
        assert parameter.unit
        assert parameter.source
        if parameter.range is not None:
            low, high = sorted(parameter.range)
            assert low <= parameter.default <= high, parameter.name
        if parameter.choices:
            assert parameter.default in parameter.choices


@pytest.mark.parametrize("name", strategy_names())
def test_the_defaults_as_described_are_those_of_the_strategy(name: str) -> None:
    model = find_strategy(name).parameters
    defaults = {parameter.name: parameter.default for parameter in describe(name).parameters}
    assert parse_parameters(model, defaults, where="the test") == model()


@pytest.mark.parametrize("name", strategy_names())
def test_every_limit_is_one(name: str) -> None:
    """A value beyond each limit is refused."""
    model = find_strategy(name).parameters
    for parameter in describe(name).parameters:
        for bound, limit in parameter.limits.items():
            beyond = {"ge": limit - 1, "gt": limit, "le": limit + 1, "lt": limit}[bound]
            with pytest.raises(ParameterError, match=f"{parameter.name} = "):
                parse_parameters(model, {parameter.name: beyond}, where="the test")


@pytest.mark.parametrize("name", strategy_names())
def test_conditions_postures_and_weights_are_complete(name: str) -> None:
    strategy, described = find_strategy(name), describe(name)
    assert [each.text for each in described.conditions] == [each.text for each in strategy.conditions]
    for condition in described.conditions:
        assert set(condition.parameters) <= set(strategy.parameters.model_fields)
    assert tuple(described.target_weights) == strategy.postures
    for weights in described.target_weights.values():
        assert tuple(weights) == strategy.legs
    assert not any(described.target_weights[strategy.postures[0]].values())
    assert described.summary.count("\n") > 3
    for series in described.series:
        assert series.title, f"{series.name} is not in the universe"
        assert series.read or series.traded


@pytest.mark.parametrize("name", strategy_names())
def test_every_ambiguity_has_readings_of_a_parameter(name: str) -> None:
    """A reading may name several values, as in "1, 2", or a switch of its own; the chosen one is the default."""
    strategy = find_strategy(name)
    defaults = strategy.parameters().model_dump()
    for ambiguity in strategy.ambiguities:
        assert ambiguity.parameter in strategy.parameters.model_fields
        assert len(ambiguity.readings) >= 2
        assert ambiguity.chosen in ", ".join(ambiguity.readings).split(", ")
        if ambiguity.chosen in defaults:
            assert defaults[ambiguity.chosen] is True
        else:
            assert value_text(defaults[ambiguity.parameter]) == ambiguity.chosen


@pytest.mark.parametrize("name", strategy_names())
def test_a_grid_is_shipped_over_known_parameters(name: str) -> None:
    grid, described = shipped_grid(name), describe(name)
    assert grid is not None, f"add configs/{name}.toml"
    first = described.grids[0]
    assert first.file == f"configs/{name}.toml"
    assert (ROOT / first.file).is_file()
    assert first.combinations == grid.size > 100
    assert set(first.axes) <= {parameter.name for parameter in described.parameters}


@pytest.mark.parametrize("name", strategy_names())
def test_what_is_shown_is_everything(name: str) -> None:
    described = describe(name)
    console = Console(record=True, width=1000, file=io.StringIO())
    render_strategy(described, console)
    text = console.export_text()
    words = [described.title, described.source, f"engine sweep --grid configs/{name}.toml"]
    words += [parameter.name for parameter in described.parameters]
    words += [parameter.meaning for parameter in described.parameters]
    words += [condition.text for condition in described.conditions]
    words += [*described.postures, *described.inputs, *described.optional_inputs, *described.legs]
    for ambiguity in described.ambiguities:
        words += [ambiguity.text, *ambiguity.readings.values()]
        words += list(ambiguity.readings)
    for rule in described.insight_rules:
        words += [rule.name, rule.claim, f"{rule.confidence:g}", *rule.universe, *rule.failure_modes]
    assert [word for word in words if word not in text] == []


def test_json_lists_one_object_a_strategy() -> None:
    listed = json.loads(strategies_json(describe_all()))
    assert tuple(one["name"] for one in listed) == strategy_names()
    for one in listed:
        assert set(one) == {"name", "title", "source", "inputs", "optional_inputs", "legs", "parameters"}
        for parameter in one["parameters"]:
            wanted = {"name", "default", "range", "unit", "meaning", "source", "choices", "limits"}
            assert set(parameter) == wanted


def test_json_of_the_pair_holds_the_documents_numbers() -> None:
    shown = json.loads(strategy_json(describe("pair")))
    parameters = {parameter["name"]: parameter for parameter in shown["parameters"]}
    assert (parameters["xlf_dma"]["default"], parameters["xlf_dma"]["range"]) == (200, [150, 250])
    assert (parameters["stop_loss"]["default"], parameters["stop_loss"]["range"]) == (-0.15, [-0.2, -0.1])
    assert parameters["hyg_reading"]["choices"] == ["deeper", "shallower"]
    assert shown["target_weights"]["long basket, short software"]["IGV"] == -1.0
    assert set(shown["ambiguities"][0]) == {"parameter", "text", "readings", "chosen"}


def test_the_monitor_shows_the_documents_rules() -> None:
    shown = json.loads(strategy_json(describe("credit_spreads_monitor")))
    rules = {rule["name"]: rule for rule in shown["insight_rules"]}
    assert {name: rule["confidence"] for name, rule in rules.items()} == {
        "risk_off": 0.67,
        "reflexive_bounce": 0.58,
        "non_confirmation": 0.55,
    }
    assert rules["reflexive_bounce"]["horizons"] == [5, 20]
    assert len(rules["reflexive_bounce"]["conditions"]) == 3
    assert all(rule["universe"] and rule["failure_modes"] for rule in rules.values())
    assert json.loads(strategy_json(describe("pair")))["insight_rules"] == []


def test_an_insight_rule_looks_at_nothing_but_the_strategys_conditions() -> None:
    monitor = find_strategy("credit_spreads_monitor")
    with pytest.raises(ValueError, match="no condition of the strategy"):
        replace(monitor, conditions=monitor.conditions[:-6])


def test_an_unknown_strategy_is_refused_with_those_there_are() -> None:
    with pytest.raises(StrategyError, match=r"unknown strategy 'pear': use one of .*pair"):
        describe("pear")


def test_the_commands_print_what_they_say(engine: Engine) -> None:
    listed = engine("strategy", "list", "--format", "json")
    assert [one["name"] for one in json.loads(listed.stdout)] == list(strategy_names())
    table = engine("strategy", "list")
    assert all(name in table.stdout for name in strategy_names())
    assert "Parameters" in engine("strategy", "show", "pair").stdout
    refused = engine("strategy", "show", "pear")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("engine: unknown strategy 'pear'")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [("strategy", "list"), ("strategy", "show", "pair")])
def test_nothing_heavy_is_imported(command: tuple[str, ...], tmp_path: Path) -> None:
    code = (
        "import atexit, sys\n"
        "from pathlib import Path\n"
        f"atexit.register(lambda: Path({str(tmp_path / 'modules')!r}).write_text(' '.join(sys.modules)))\n"
        f"sys.argv = ['engine', *{command!r}]\n"
        "from cli import main\n"
        "main()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)
    imported = set((tmp_path / "modules").read_text().split())
    assert "polars" in imported
    assert not imported & HEAVY
