"""What cash earns, against a bill bought and sold by hand."""

import numpy as np
import pytest

from engine.cash import cash_returns

DATES = np.array(["2024-03-27", "2024-03-28", "2024-04-01", "2024-04-02", "2024-04-03"], "datetime64[D]")


def test_a_bill_held_from_close_to_close() -> None:
    rate = np.array([np.nan, 5.2, np.nan, 5.0, 4.0])
    earned = cash_returns(DATES, rate)
    price = 1 - 0.052 * 91 / 360
    # Nothing is known at the first close; over Easter four days; on 04-01 no new rate, so that of 03-28 goes on.
    assert np.isnan(earned[:2]).all()
    assert earned[2] == pytest.approx((1 / price) ** (4 / 91) - 1, rel=1e-12)
    assert earned[3] == pytest.approx((1 / price) ** (1 / 91) - 1, rel=1e-12)
    assert earned[4] == pytest.approx((1 / (1 - 0.05 * 91 / 360)) ** (1 / 91) - 1, rel=1e-12)


def test_ninety_one_days_pay_the_bill() -> None:
    dates = np.arange("2024-01-01", "2024-04-02", dtype="datetime64[D]")
    earned = cash_returns(dates, np.full(len(dates), 5.2))
    assert np.prod(1 + earned[1:]) == pytest.approx(1 / (1 - 0.052 * 91 / 360), rel=1e-12)


def test_a_rate_below_0_costs() -> None:
    assert (cash_returns(DATES, np.full(5, -0.1))[1:] < 0).all()
