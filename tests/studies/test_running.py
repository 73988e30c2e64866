"""One study on one sample: what is recorded, and what is refused."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from engine.panel import PanelError
from engine.parameters import ParameterError
from engine.studies import StudyError, find_study
from engine.studies.running import run_study
from parquet_store import scan


@pytest.mark.parametrize(
    ("values", "options", "error", "message"),
    [
        ({"equity": "NOPE"}, {}, PanelError, "series NOPE is not in the store"),
        ({"vix_fast": 0}, {}, ParameterError, "vix_fast = 0 in study vix_returns cannot be used"),
        ({"nonsense": 1}, {}, ParameterError, "unknown parameter 'nonsense' in study vix_returns"),
        ({}, {"first": date(1990, 1, 1), "last": date(1991, 1, 1)}, PanelError, "holds no session with data"),
        (
            {},
            {"first": date(2020, 3, 2), "last": date(2020, 3, 3)},
            StudyError,
            "VIX, SPY have .*choose a longer sample",
        ),
        (
            {},
            {"first": date(2026, 3, 31)},
            StudyError,
            "first day 2026-03-31 is after its last 2026-03-06; last is the document's, set it, too",
        ),
        (
            {},
            {"first": date(2020, 3, 2), "last": date(2020, 1, 2)},
            StudyError,
            "first day 2020-03-02 is after its last 2020-01-02: exchange them",
        ),
        ({}, {"periods": Path("absent.toml")}, StudyError, "cannot read the periods in absent.toml"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_sentence(simulated_store, values, options, error, message):
    with pytest.raises(error, match=message) as caught:
        run_study(simulated_store, find_study("vix_returns"), values, **options)
    assert "\n" not in str(caught.value)


def test_a_run_is_recorded_with_what_was_set(simulated_store):
    run = run_study(simulated_store, find_study("pair_performance"), {"short": "QQQ"}, first=date(2010, 1, 4))
    row = (
        scan(simulated_store, "study_runs").filter(pl.col("study") == "pair_performance").collect().row(-1, named=True)
    )
    assert '"short": "QQQ"' in row["parameters"]
    assert row["first"] == date(2010, 1, 4)
    assert row["data_fingerprint"] == run.history.panel.fingerprint()
    assert row["agreeing"] == 0
    figures = scan(simulated_store, "study_figures", run_id=row["run_id"]).collect()
    assert figures["id"].to_list() == [figure.id for figure in run.result.figures]
    assert figures["published"].null_count() == figures.height


def test_what_reads_no_series_knows_that_the_store_is_simulated(simulated_store):
    run = run_study(simulated_store, find_study("documented_settings"))
    assert run.history.panel.simulated
    assert all(figure.reason.startswith("SIMULATED data: ") for figure in run.result.figures)
    kept = scan(simulated_store, "study_runs").filter(pl.col("study") == "documented_settings").collect()
    assert kept["simulated"].all()


def test_unknown_studies_are_answered_with_the_list():
    with pytest.raises(StudyError, match=r"unknown study 'nope': use one of .*vix_returns"):
        find_study("nope")
