from datetime import date
from io import StringIO

import polars as pl
import pytest
from rich.console import Console

from engine.report.frames import print_frame

FRAME = pl.DataFrame(
    {
        "series": ["BAMLH0A0HYM2"],
        "first": [date(2005, 1, 3)],
        "problem": ["a sentence that may be folded where there is no room for it on one line"],
        "rows": [5302],
        "seen_last": [date(2026, 3, 31)],
    }
)


def printed(width: int) -> str:
    output = StringIO()
    print_frame(FRAME, console=Console(file=output, width=width))
    return output.getvalue()


def test_wide_terminal_shows_every_column_on_one_line() -> None:
    assert "no room for it on one line  5,302  2026-03-31" in printed(140)


def test_text_is_folded_before_a_column_is_left_out() -> None:
    output = printed(80)
    assert "2026-03-31" in output
    assert "No room for" not in output


@pytest.mark.parametrize("width", [30, 50])
def test_narrow_terminal_keeps_the_first_columns_whole_and_names_the_others(width: int) -> None:
    output = printed(width)
    assert "BAMLH0A0HYM2  2005-01-03" in output
    assert "…" not in output
    assert "No room for" in output
    assert "seen last" in " ".join(output.split())
