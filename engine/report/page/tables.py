"""Tables of the page: text to the left, numbers to the right, each metric explained in its heading."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

import polars as pl

from engine.metrics import METRICS
from engine.report.numbers import number_text
from engine.report.page.labels import label
from engine.report.page.markup import Node, element

__all__ = ["frame_table", "table"]

_DEFINITIONS = {metric.name: metric.definition for metric in METRICS}


def table(headings: Sequence[Node], rows: Sequence[Sequence[Node]], *, caption: str | None = None) -> Element:
    """Return a table of texts.

    Parameters
    ----------
    headings
        One a column.
    rows
        Cells, as many in each row.
    caption
        What the table shows.
    """
    body = (element("tr", (element("td", cell) for cell in row)) for row in rows)
    head = element("tr", (element("th", heading, scope="col") for heading in headings))
    return _scrolling(element("table", _caption(caption), element("thead", head), element("tbody", body)))


def frame_table(
    frame: pl.DataFrame,
    *,
    caption: str | None = None,
    headings: dict[str, str] | None = None,
    written_as: dict[str, str] | None = None,
    first_strong: bool = False,
) -> Element:
    """Return a frame as a table.

    Parameters
    ----------
    frame
        One column of the table for each of its own.
    caption
        What the table shows.
    headings
        What columns are called, where that is not their own name with spaces.
    written_as
        Metrics by whose rule the numbers of other columns are written.
    first_strong
        Whether the first row stands out.
    """
    headings, written_as = headings or {}, written_as or {}
    styles = ["number" if dtype.is_numeric() else "day" if dtype.is_temporal() else None for dtype in frame.dtypes]
    head = (
        element(
            "th",
            headings.get(name, label(name)),
            scope="col",
            class_=style,
            title=_DEFINITIONS.get(name.removeprefix("gross_")),
        )
        for name, style in zip(frame.columns, styles, strict=True)
    )
    body = (
        element(
            "tr",
            (
                element("td", number_text(written_as.get(name, name), value), class_=style)
                for (name, value), style in zip(row.items(), styles, strict=True)
            ),
            class_="first" if first_strong and place == 0 else None,
        )
        for place, row in enumerate(frame.iter_rows(named=True))
    )
    parts = (_caption(caption), element("thead", element("tr", head)), element("tbody", body))
    return _scrolling(element("table", parts))


def _caption(text: str | None) -> Element | None:
    return None if text is None else element("caption", text)


def _scrolling(made: Element) -> Element:
    """A table wider than the page scrolls by itself, also by keyboard."""
    return element("div", made, class_="scroll", tabindex="0")
