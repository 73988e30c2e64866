"""Episodes are data: what is read, and what is refused."""

from datetime import date

import numpy as np
import pytest

from engine.panel import Sample
from engine.studies import StudyError, load_periods
from engine.studies.periods import within_any

EPISODE = '[[period]]\nname = "one"\ntitle = "One"\nfirst = 2020-01-01\nlast = 2020-02-01\n'


def test_the_document_has_three_episodes():
    stress = {period.name: (period.first, period.last) for period in load_periods() if period.stress}
    assert stress["q4_2018"] == (date(2018, 9, 20), date(2018, 12, 24))
    assert stress["covid_2020"] == (date(2020, 2, 19), date(2020, 3, 23))
    assert stress["rates_2022"] == (date(2022, 1, 3), date(2022, 10, 12))


def test_a_history_has_the_episodes_that_lie_wholly_inside(simulated_market):
    names = [period.name for period in simulated_market.history(Sample(date(2018, 1, 2), date(2022, 6, 1))).periods]
    assert names == ["q4_2018", "covid_2020"]
    assert "crisis_2008" in [period.name for period in simulated_market.history(Sample()).periods]


def test_days_of_episodes_include_both_ends():
    days = np.arange("2018-09-18", "2018-09-23", dtype="datetime64[D]")
    assert within_any(load_periods()[:1], days).tolist() == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (EPISODE.replace("2020-02-01", "2019-02-01"), "ends on 2019-02-01, before it begins"),
        (EPISODE + EPISODE, "two periods called one"),
        (EPISODE.replace('title = "One"\n', ""), "title .* cannot be used: field required"),
        (EPISODE.replace('"one"', '"One Two"'), "name .* cannot be used"),
        ("", "period .* cannot be used"),
        ("[[period", "is not a TOML file"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(tmp_path, text, message):
    path = tmp_path / "periods.toml"
    path.write_text(text)
    with pytest.raises(StudyError, match=message):
        load_periods(path)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(StudyError, match="cannot read the periods"):
        load_periods(tmp_path / "absent.toml")
