from datetime import date

import numpy as np
import polars as pl
import pytest

from engine.report.page.distribution_chart import Mark, distribution_chart
from engine.report.page.plane_chart import colours_for
from engine.report.page.scales import Scale, date_ticks, line_path, log_ticks, nice_ticks
from engine.report.page.sensitivity import axis_effects, plane_medians
from engine.report.page.time_chart import Line, time_chart
from tests.report.parsed_page import find_class


def test_scales_place_ends_and_middle() -> None:
    assert Scale(0.0, 10.0, 100.0, 0.0).places([0.0, 5.0, 10.0]).tolist() == [100.0, 50.0, 0.0]
    assert Scale(0.01, 100.0, 0.0, 4.0, logarithmic=True).place(1.0) == pytest.approx(2.0)
    assert Scale(3.0, 3.0, 0.0, 4.0).place(3.0) == 2.0


@pytest.mark.parametrize(
    ("low", "high", "count", "ticks"),
    [
        (-0.43, 0.2, 5, [-0.4, -0.2, 0.0, 0.2]),
        (150, 250, 5, [160, 180, 200, 220, 240]),
        (-0.05, -0.02, 5, [-0.05, -0.04, -0.03, -0.02]),
        (1.0, 1.0, 5, [1.0]),
    ],
)
def test_ticks_are_round(low: float, high: float, count: int, ticks: list[float]) -> None:
    assert nice_ticks(low, high, count) == ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.3, 3.0, [0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0]),
        (0.5, 20.0, [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]),
        (0.01, 100.0, [0.01, 0.1, 1.0, 10.0, 100.0]),
        (0.98, 1.04, [0.98, 0.99, 1.0, 1.01, 1.02, 1.03, 1.04]),
    ],
)
def test_logarithmic_ticks_are_neither_few_nor_many(low: float, high: float, ticks: list[float]) -> None:
    assert log_ticks(low, high) == ticks


def test_dates_are_labelled_by_the_length_of_the_sample() -> None:
    assert [label for _, label in date_ticks(date(2018, 1, 2), date(2021, 6, 1), 12)] == [
        "2018",
        "2019",
        "2020",
        "2021",
    ]
    assert [label for _, label in date_ticks(date(1990, 5, 1), date(2026, 3, 1), 12)][:2] == ["1995", "2000"]
    assert [label for _, label in date_ticks(date(2020, 2, 3), date(2020, 6, 1), 12)] == [
        *("Mar 2020", "Apr 2020", "May 2020", "Jun 2020")
    ]


def test_lines_are_interrupted_where_there_is_no_value() -> None:
    assert line_path([0.0, 1.0, 2.0, 3.0], [5.0, np.nan, 6.0, 7.0]) == "M0.0 5.0M2.0 6.0L3.0 7.0"


AXES = {"length": [10, 20, 30], "kind": ["a", "b"], "stop": [-0.1, -0.2]}


def results(values: list[float | None]) -> pl.DataFrame:
    return pl.DataFrame({"combination": range(12), "sharpe": values})


def test_the_axis_that_explains_everything_comes_first() -> None:
    by_kind = [1.0, 1.0, 5.0, 5.0] * 3
    first, *others = axis_effects(results(by_kind), AXES, "sharpe")
    assert (first.name, first.numeric, first.explained) == ("kind", False, 1.0)
    assert first.along["median"].to_list() == [1.0, 5.0]
    assert [effect.explained for effect in others] == [0.0, 0.0]


def test_bands_are_quantiles_over_the_trials_that_have_a_value() -> None:
    values = [0.0, None, 1.0, 2.0, *[3.0] * 8]
    length = next(effect for effect in axis_effects(results(values), AXES, "sharpe") if effect.name == "length")
    assert length.along["trials"].to_list() == [3, 4, 4]
    assert length.along["median"][0] == 1.0
    assert length.along["low"][0] == pytest.approx(np.quantile([0.0, 1.0, 2.0], 0.05))
    assert length.along["high"][0] == pytest.approx(np.quantile([0.0, 1.0, 2.0], 0.95))


def test_nothing_is_explained_where_nothing_differs() -> None:
    assert [effect.explained for effect in axis_effects(results([2.0] * 12), AXES, "sharpe")] == [0.0, 0.0, 0.0]


def test_planes_are_medians_over_the_other_axes() -> None:
    values = np.arange(12.0)
    cells = plane_medians(results(values.tolist()), AXES, "sharpe", ("length", "stop"), [], most=60)
    expected = np.median(values.reshape(3, 2, 2), axis=1)
    for cell in cells.iter_rows(named=True):
        assert cell["median"] == expected[cell["x"], cell["y"]]
        assert cell["trials"] == 2
    assert cells.height == 6


def test_long_axes_have_several_values_to_a_cell() -> None:
    axes = {"length": list(range(100)), "stop": [1.0, 2.0]}
    frame = pl.DataFrame({"combination": range(200), "sharpe": np.arange(200.0)})
    cells = plane_medians(frame, axes, "sharpe", ("length", "stop"), [], most=60)
    assert cells["x"].unique().sort().to_list() == list(range(0, 100, 2))
    assert cells["trials"].unique().to_list() == [2]


def test_colours_turn_at_zero_where_the_sign_matters() -> None:
    signed = colours_for("sharpe", pl.Series([-0.5, 0.25]))
    assert [signed.style(value) for value in (-0.5, 0.25)] == ["below", "above"]
    assert [signed.strength(value) for value in (-0.5, 0.0, 0.25)] == [1.0, 0.0, 0.5]
    plain = colours_for("max_drawdown", pl.Series([-0.5, -0.1]))
    assert [plain.strength(value) for value in (-0.5, -0.1)] == [0.0, 1.0]
    assert plain.style(-0.5) == "above"


def test_a_wiped_out_position_is_drawn_until_nothing_is_left() -> None:
    days = [date(2020, 1, k) for k in range(1, 6)]
    curves = pl.DataFrame(
        {"date": days, "posture": pl.Series([0, 1, 1, 1, 1], dtype=pl.Int8), "net": [1.0, 0.5, -0.2, -0.2, -0.2]}
    )
    chart = time_chart(curves, [Line("net", "best")], ("flat", "long"), title="wiped out")
    line = next(path for path in find_class(chart, "net") if path.get("class") == "line net")
    assert line.get("d").count("L") == 1


def test_histogram_of_a_single_value() -> None:
    chart = distribution_chart(np.array([0.5]), np.array([3]), [Mark("the best", 0.5, "winner")], "sharpe", title="one")
    (bar,) = [part for part in chart.iter("rect") if part.find("title") is not None]
    assert bar.find("title").text.endswith("3 combinations")
