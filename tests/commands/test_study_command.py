"""``engine study`` and ``engine replicate`` as a user runs them."""

import csv
import io
import json

import pytest

from commands import research
from engine.parameters import ParameterError
from engine.simulated import SIMULATED_NOTICE

COLUMNS = ["id", "published", "reproduced", "tradable", "low", "high", "n", "episodes", "reason"]


def test_the_list_names_every_study_without_a_store(engine):
    result = engine("study", "--list", "--format", "json")
    assert result.returncode == 0
    studies = {study["name"]: study for study in json.loads(result.stdout)}
    assert {"vix_returns", "pair_performance", "historical_parallels"} <= studies.keys()
    parameters = {parameter["name"]: parameter for parameter in studies["vix_returns"]["parameters"]}
    assert parameters["vix_fast"]["default"] == 20
    assert parameters["vix_fast"]["documented"] == [15, 25]


def test_a_study_of_other_symbols_on_another_sample(engine, simulated_store):
    arguments = ("vix_returns", "--set", "equity=QQQ", "--first", "2008-01-02", "--last", "2012-12-31")
    result = engine("study", *arguments, "--format", "json", "--store", simulated_store.root)
    assert result.returncode == 0
    content = json.loads(result.stdout)
    assert content["parameters"]["equity"] == "QQQ"
    assert content["sample"] == {"first": "2008-01-02", "last": "2012-12-31", "warmup": "inside", "sessions": 1259}
    assert content["simulated"] is True
    assert any("SIMULATED" in note for note in content["notes"])
    assert content["figures"][0]["tradable"] is not None


def test_the_tables_on_the_terminal(engine, simulated_store):
    result = engine("study", "pair_performance", "--store", simulated_store.root)
    assert result.returncode == 0
    assert "pair.full_period" in result.stdout
    assert "SIMULATED" in result.stdout


def test_one_table_as_csv_with_episodes_of_ones_own(engine, simulated_store, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[[period]]\nname = "mine"\ntitle = "Mine"\nfirst = 2019-01-02\nlast = 2019-03-01\n')
    arguments = ("study", "pair_performance", "--periods", path, "--table", "pair.periods", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(engine(*arguments, "--store", simulated_store.root).stdout)))
    assert [row["period"] for row in rows] == ["mine"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nonsense",), "unknown study 'nonsense': use one of"),
        (("pair_performance", "--table", "nope"), "has no table 'nope': use one of pair.full_period"),
        ((), "either the name of a study or --list"),
    ],
)
def test_a_mistake_is_one_sentence(engine, simulated_store, arguments, message):
    result = engine("study", *arguments, "--store", simulated_store.root)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_every_output_says_simulated(simulated_store, capsys, output):
    """One line on standard error, and a banner or a label in every figure on standard output."""
    research.study("documented_settings", store=simulated_store.root, output=output)
    research.falsify(["vix_regime"], store=simulated_store.root, output=output)
    said = capsys.readouterr()
    assert said.err.splitlines().count(SIMULATED_NOTICE) == 2
    banners = [line for line in said.out.splitlines() if line.startswith("SIMULATED ") and SIMULATED_NOTICE in line]
    labels = said.out.count("SIMULATED data: ")
    assert (len(banners), labels) == ((2, 1) if output == "table" else (0, 13))


def test_an_assignment_without_a_value_is_answered_with_its_own_name(simulated_store):
    with pytest.raises(ParameterError, match="'equity' sets nothing: write equity=value"):
        research.study("vix_returns", assignments=["equity"], store=simulated_store.root)


def test_the_replication_on_the_terminal(engine, simulated_store):
    result = engine("replicate", "--store", simulated_store.root)
    assert result.returncode == 0, result.stderr
    assert "SIMULATED" in result.stdout
    assert "The documents look ahead in three places" in result.stdout
    assert "reproducible figures come out to the printed digit" in result.stdout
    assert "SIMULATED" in result.stderr


def test_the_replication_as_json(engine, simulated_store):
    result = engine("replicate", "--store", simulated_store.root, "--format", "json")
    rows = json.loads(result.stdout)
    assert all(list(row) == COLUMNS for row in rows)
    assert "SIMULATED" in result.stderr
