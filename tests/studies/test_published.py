"""The published figures: what is read, and when a computed figure agrees with a printed one."""

from datetime import date
from decimal import Decimal

import pytest

from engine.studies import StudyError
from engine.studies.published import agrees, load_published


@pytest.mark.parametrize(
    ("printed", "found", "expected"),
    [
        (Decimal("0.053"), 0.0534999, True),
        (Decimal("0.053"), 0.0535001, False),
        (Decimal("-0.070"), -0.0697, True),
        (Decimal("-0.07"), -0.0649, False),
        (Decimal("0.000"), -0.0001, True),
        (22, 22, True),
        (22, 22.4, True),
        (22, 23, False),
        (True, True, True),
        (True, 1, False),
        (1, True, False),
        (date(2018, 12, 24), date(2018, 12, 24), True),
        (date(2018, 12, 24), date(2018, 12, 26), False),
        ("mid-November 2018", date(2018, 11, 13), True),
        ("mid-November 2018", date(2018, 11, 21), False),
        ("May 2022", date(2022, 5, 31), True),
        ("May 2022", date(2021, 5, 10), False),
        ("5-6", 5.86, True),
        ("5-6", 6.01, False),
        ("lagging", "lagging", True),
        ("lagging", None, False),
        ((Decimal("-0.02"), Decimal("-0.05")), (-0.05, -0.02), True),
        ((Decimal("0.12"), Decimal("0.36")), (0.1227, 0.3627), True),
        ((Decimal("0.12"), Decimal("0.36")), (0.1227, 0.3751), False),
        ((20, 60), (20,), False),
        (("equal", "market_cap"), ("equal", "market_cap"), True),
        (Decimal("0.1"), "0.1", False),
    ],
)
def test_agreement_is_to_the_printed_digit(printed, found, expected):
    assert agrees(printed, found) is expected


def test_every_figure_has_an_id_and_keeps_its_digits():
    published = load_published()
    assert published.figures["pair.full_period.pair.ann_return"].printed.as_tuple().exponent == -3
    assert published.figures["vix.regimes.2020-02-21.last"].value == date(2020, 4, 7)
    assert published.figures["capitulation.forward_1m.4.positive"].value == 0.81
    assert published.figures["pair.ranges.xlf_dma"].kind == "setting"
    assert published.figures["pair.periods.q4_2018.spy"].kind == "result"
    assert published.figures["pair.xlf_slope_events.covid_2020.note"].kind == "words"
    assert published.figures["btc.summary.return_range"].kind == "contradicted"
    assert published.figures["credit_spread_model.cdx.favorable"].kind == "no public data"
    assert "one day decides" in str(published.figures["vix.returns_by_regime.normal.days"].remark)
    assert published.figures["pair.periods.q4_2018.spy"].remark is None
    assert (published.sample.first, published.sample.last) == (date(2018, 1, 2), date(2026, 3, 6))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[sample]\nfirst = 2018-01-02\n", "has no \\[sample\\] with the first and the last day"),
        ("a = [", "is not a TOML file"),
        ("sample = 3", "has no \\[sample\\]"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(tmp_path, text, message):
    path = tmp_path / "published.toml"
    path.write_text(text)
    with pytest.raises(StudyError, match=message):
        load_published(path)
    with pytest.raises(StudyError, match="cannot read the published figures"):
        load_published(tmp_path / "absent.toml")
