"""The recipes of the documentation run, and its table of views names every column."""

import re
from pathlib import Path

import polars as pl
import pytest

import sql
from parquet_store import append, sessions
from tests.sql.small_store import LATER, SEEN, add, day, macro_rows, new_store, price_rows

PAGE = (Path(__file__).parents[2] / "docs" / "sql.md").read_text()
RECIPES = re.findall(r"^((?:    .*\n)+)", PAGE.partition("## Recipes")[2].partition("## Answers")[0], re.MULTILINE)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = new_store(tmp_path_factory.mktemp("docs"))
    days = [str(each) for each in sessions(day("2025-01-02"), day("2025-06-30"))["date"]]
    for symbol in ("SPY", "HYG", "VIX"):
        add(store, "prices", price_rows(symbol, {each: 10.0 + number * 37 % 11 for number, each in enumerate(days)}))
    add(store, "macro", macro_rows("BAMLH0A0HYM2", dict.fromkeys(days, 3.0)), SEEN.replace(year=2025))
    add(store, "macro", macro_rows("BAMLH0A0HYM2", {days[5]: 3.1}), LATER.replace(year=2026))
    append(store, "sweep_results", pl.DataFrame({"run_id": ["a", "a"], "sharpe": [0.1, None]}), seen_at=SEEN)
    return store


def test_there_are_recipes():
    assert len(RECIPES) == 5


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_has_an_answer(store, recipe):
    assert sql.query(store, recipe).height


LEDGERS = ("sweep_runs", "sweep_results", "study_runs", "study_figures")


@pytest.mark.parametrize("view", [view for view in sql.VIEWS if view not in ("panel", *LEDGERS)])
def test_the_page_names_the_columns(store, view):
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{view}` |"))
    named = [
        name for name in re.findall(r"`(\w+)`", line.rpartition(" | ")[2]) if name not in ("dividend", "split", "price")
    ]
    held = sql.query(store, f"FROM {view}").columns
    assert [name for name in named if name in held] == held
