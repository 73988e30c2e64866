"""What is wrong with a statement, in DuckDB's words, with what there is to ask for."""

from collections.abc import Mapping, Sequence

from sql.catalog import VIEWS

__all__ = ["explained"]


def explained(message: str, columns: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return DuckDB's message with the views there are, and the columns of those that were asked.

    Parameters
    ----------
    message
        DuckDB's message, with the line and a caret under the place where it has one.
    columns
        View to its columns.
    """
    parts = [message.strip()]
    parts += [f"The columns of {view}: {', '.join(names)}" for view, names in (columns or {}).items()]
    parts.append(f"The views: {', '.join(VIEWS)}; each but series also as of a moment: prices_as_of('2024-06-28')")
    return "\n\n".join(parts)
