"""A study, and the list of them, on the terminal, as JSON and as CSV."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import polars as pl
from rich.console import Console
from rich.text import Text

from engine.parameters import documentation
from engine.report.figures import figures_frame
from engine.report.frames import console_for_output, frame_text, print_frame
from engine.report.tables import field_table, simulated_banner, text_table, value_text
from engine.studies import Study, StudyError
from engine.studies.running import StudyRun

__all__ = ["render_studies", "render_study", "studies_json", "study_csv", "study_json"]


def render_studies(studies: Iterable[Study], console: Console | None = None) -> None:
    """Print each study with its source and what may be set."""
    rows = [(study.name, study.title, study.source, " ".join(study.parameters.model_fields)) for study in studies]
    (console or console_for_output()).print(text_table(None, ("study", "question", "source", "parameters"), rows))


def studies_json(studies: Iterable[Study]) -> str:
    """Return the studies as a JSON list, each parameter with its default, unit, meaning and source."""
    return json.dumps([_described(study) for study in studies], default=str, indent=2, allow_nan=False)


def _described(study: Study) -> dict[str, Any]:
    parameters = [
        {"name": name, "default": field.default, **asdict(documentation(study.parameters, name))}
        for name, field in study.parameters.model_fields.items()
    ]
    described = {name: getattr(study, name) for name in ("name", "title", "source", "answers")}
    return {**described, "parameters": parameters}


def render_study(run: StudyRun, table: str | None = None, console: Console | None = None) -> None:
    """Print what was asked, each table under its id (or one of them), and the notes."""
    console = console or console_for_output()
    chosen = _chosen(run, table)
    console.print(field_table(_heading(run)))
    for name, frame in chosen.items():
        console.print()
        print_frame(frame, title=name, console=console)
    for note in run.notes:
        console.print(Text(f"Note: {note}.", style="yellow"))


def _heading(run: StudyRun) -> list[tuple[str, str]]:
    panel, sample = run.history.panel, run.history.sample
    warmup = "" if sample.warmup == "inside" else ", indicators warmed up before it"
    settings = ", ".join(f"{name} {_setting(value)}" for name, value in run.parameters.model_dump().items())
    return [
        *simulated_banner(simulated=panel.simulated),
        (run.study.name, run.study.title),
        ("source", run.study.source),
        ("sample", f"{sample.first} to {sample.last}, {panel.sessions:,} sessions{warmup}"),
        ("as of", f"{panel.as_of:%Y-%m-%d %H:%M} UTC" if panel.as_of else "all that is stored"),
        ("settings", settings or "none"),
    ]


def _setting(value: object) -> str:
    return "+".join(value) if isinstance(value, tuple) else value_text(value)


def _chosen(run: StudyRun, table: str | None) -> dict[str, pl.DataFrame]:
    if table is None:
        return dict(run.result.tables)
    if table not in run.result.tables:
        message = f"study {run.study.name} has no table {table!r}: use one of {', '.join(run.result.tables)}"
        raise StudyError(message)
    return {table: run.result.tables[table]}


def study_json(run: StudyRun, table: str | None = None) -> str:
    """Return a run as one JSON object: what was asked, ``tables`` by id, ``figures``, ``notes``."""
    panel, sample = run.history.panel, run.history.sample
    content = {
        "study": run.study.name,
        "title": run.study.title,
        "source": run.study.source,
        "parameters": run.parameters.model_dump(mode="json"),
        "sample": {**asdict(sample), "sessions": panel.sessions},
        "as_of": panel.as_of,
        "data_seen_at": panel.seen_at,
        "simulated": panel.simulated,
        "tables": {name: json.loads(frame_text(frame, "json")) for name, frame in _chosen(run, table).items()},
        "figures": [asdict(figure) for figure in run.result.figures],
        "notes": run.notes,
    }
    return json.dumps(content, default=str, indent=2, allow_nan=False)


def study_csv(run: StudyRun, table: str | None = None) -> str:
    """Return one table as CSV, or all figures where none is named."""
    frame = figures_frame(run.result.figures) if table is None else _chosen(run, table)[table]
    return frame_text(frame, "csv")
