"""What is said of a moment before which the store held nothing, or not yet the series that are asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.monitor import monitor
from engine.panel import PanelError, Sample, load_panel
from tests.sql.small_store import LATER, SEEN, add, macro_rows, new_store, price_rows


@pytest.fixture
def store(tmp_path):
    """A store that saw SPY first, and a yield a month later."""
    store = new_store(tmp_path)
    add(store, "prices", price_rows("SPY", {"2024-07-01": 1.0, "2024-07-02": 2.0}))
    add(store, "macro", macro_rows("DGS10", {"2024-07-01": 4.0}), LATER)
    return store


def test_before_the_first_rows_nothing_was_known(store):
    before = SEEN - timedelta(seconds=1)
    message = r"nothing was known by 2024-12-30 23:59:59 UTC: the first rows .* stored on 2024-12-31 00:00:00 UTC"
    with pytest.raises(PanelError, match=message):
        load_panel(store, ["SPY"], Sample(), as_of=before)
    with pytest.raises(PanelError, match=message):
        monitor(store, as_of=before)


def test_a_series_that_came_later_is_named_with_its_moment(store):
    with pytest.raises(PanelError, match=r"not known by 2025-01-01 .* holds DGS10 from 2025-01-31 00:00:00 UTC on"):
        load_panel(store, ["SPY", "DGS10"], Sample(), as_of=datetime(2025, 1, 1, tzinfo=UTC))
    assert load_panel(store, ["SPY", "DGS10"], Sample(), as_of=LATER).sessions == 2


def test_a_series_that_never_came_is_not_in_the_store(store):
    with pytest.raises(PanelError, match="series HYG is not in the store"):
        load_panel(store, ["SPY", "HYG"], Sample(), as_of=LATER)
