"""The pages of the strategies list every parameter as it is."""

from pathlib import Path
from typing import Any

import pytest

from engine.strategies import documentation, find_strategy, strategy_names

PAGES = Path(__file__).parents[2] / "docs" / "strategies"


@pytest.mark.parametrize("name", strategy_names())
def test_page_lists_every_parameter_and_ambiguity(name: str) -> None:
    strategy = find_strategy(name)
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    for parameter, field in strategy.parameters.model_fields.items():
        note = documentation(strategy.parameters, parameter)
        assert f"| `{parameter}` | {written(field.default)} | {note.unit} |" in page
        assert f"| {note.meaning} | {note.source} |" in page
    for ambiguity in strategy.ambiguities:
        assert f"- **`{ambiguity.parameter}`**. {ambiguity.text}" in page


def written(default: Any) -> str:
    if default is None:
        return "none"
    return str(default).lower() if isinstance(default, bool) else str(default)
