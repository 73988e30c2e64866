"""The commands as a user runs them: exit codes, formats, and what is said."""

import json

import pytest

from parquet_store import open_store
from tests.parquet_store.fetching.made_up_market import LAST
from tests.parquet_store.fetching.replay_server import Fault

OF_THE_SHIPPED_UNIVERSE = ("--series", "UNRATE", "--series", "DGS10")


@pytest.fixture
def shipped(replay):
    """Serve the made-up values under names that the shipped universe asks for."""
    values = replay.market.values
    replay.market.values = {"UNRATE": values["JOBLESS"], "DGS10": values["SPREAD"]}
    return replay


def test_exit_codes_tell_whole_partial_and_no_success(engine, shipped):
    whole = engine("data", "fetch", *OF_THE_SHIPPED_UNIVERSE, "--format", "json")
    assert whole.returncode == 0, whole.stderr
    values = shipped.market.values
    assert [row["new"] for row in json.loads(whole.stdout)] == [len(values["UNRATE"]), len(values["DGS10"])]
    shipped.faults = [Fault("404", "UNRATE")]
    partial = engine("data", "fetch", *OF_THE_SHIPPED_UNIVERSE)
    assert partial.returncode == 3
    assert "there is no such series or page (status 404)" in partial.stdout
    shipped.faults = [Fault("html", times=4)]
    none = engine("data", "fetch", *OF_THE_SHIPPED_UNIVERSE)
    assert none.returncode == 2
    assert "Traceback" not in none.stderr + partial.stderr


def test_dry_run_asks_nothing_and_makes_no_store(engine, shipped, tmp_path):
    done = engine("data", "fetch", "--dry-run", "--since", "2024-01-01", *OF_THE_SHIPPED_UNIVERSE, "--format", "csv")
    assert done.returncode == 0, done.stderr
    header, first, *_ = done.stdout.splitlines()
    assert header == "series,source,reason,from,to"
    assert first.startswith("UNRATE,fred,new,2024-01-01,")
    assert shipped.log == []
    assert not (tmp_path / "store").exists()
    open_store(tmp_path / "made", create=True)
    made = engine("data", "fetch", "--dry-run", *OF_THE_SHIPPED_UNIVERSE, "--format", "csv", "--store", "made")
    assert "UNRATE,fred,new,," in made.stdout
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    assert engine("data", "fetch", "--dry-run", "--store", "other").returncode == 2
    assert engine("data", "fetch", "--dry-run", "--vintages").returncode == 2


def test_revisions_and_rebuild(engine, shipped):
    engine("data", "fetch", *OF_THE_SHIPPED_UNIVERSE)
    day, value = shipped.market.values["DGS10"][-1]
    shipped.market.values["DGS10"][-1] = (day, round(value + 0.01, 4))
    engine("data", "fetch", *OF_THE_SHIPPED_UNIVERSE)
    listed = engine("data", "revisions", "DGS10", "--format", "json")
    assert listed.returncode == 0, listed.stderr
    (change,) = json.loads(listed.stdout)
    assert (change["date"], change["before"], change["column"]) == (LAST.isoformat(), value, "value")
    assert change["change"] == pytest.approx(0.01)
    rebuilt = engine("data", "rebuild", "--dry-run")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "answers of 2 fetches read; 0 rows would change" in rebuilt.stderr


def test_vintages_need_a_key(engine, shipped):
    done = engine("data", "fetch", "--vintages", "--series", "UNRATE", "--format", "json")
    assert done.returncode == 2
    assert "vintages need a key of the FRED API" in json.loads(done.stdout)[0]["message"]
    assert shipped.log == []
