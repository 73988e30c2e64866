"""``--as-of`` on every command that reads: to the letter what the command gave at that moment.

A store lives through revisions, a quarantine and its release, a late dividend and a compaction. The commands that read
it as of a moment are compared with the same commands on a store that has lived through that moment and no further.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from parquet_store import SCHEMAS, Store, append, open_store
from parquet_store.compaction import compact
from parquet_store.quarantine import quarantine_rows, release
from parquet_store.simulation import SimulatedMarket, simulate
from tests.commands.command_process import Ended, run_commands

FIRST, LAST = date(2020, 6, 1), date(2022, 5, 31)
EXPLAINED = "2022-03-16"

GRID = """
[strategy]
name = "pair"
[grid]
xlf_dma = { start = 190, stop = 210, step = 10 }
hyg_drawdown = [-0.02, -0.03]
[sample]
first = 2021-06-01
last = 2022-03-04
[costs]
commission_bps = 1.0
"""

QUICK = {
    "sql panel": ["sql", "FROM panel ORDER BY date", "--format", "csv"],
    "sql adjusted": ["sql", "FROM adjusted ORDER BY ALL", "--format", "csv"],
    "sql macro": ["sql", "FROM macro ORDER BY ALL", "--format", "csv"],
    "sql quarantine": ["sql", "FROM quarantine ORDER BY ALL", "--format", "csv"],
    "data status": ["data", "status", "--format", "json"],
    "data check": ["data", "check", "--format", "json"],
    "data revisions SPY": ["data", "revisions", "SPY", "--format", "json"],
    "data revisions spread": ["data", "revisions", "BAMLH0A0HYM2", "--format", "json"],
    "data export prices": ["data", "export", "prices", "--out", "{out}.csv"],
    "data export actions": ["data", "export", "actions", "--out", "{out}.csv"],
    "data export macro": ["data", "export", "macro", "--out", "{out}.csv"],
}
"""Commands that read the store and compute little; those that export write to a file."""

SLOW = {
    "explain": ["explain", "pair", "--date", EXPLAINED, "--format", "json"],
    "monitor": ["monitor", "--format", "json"],
    "study": ["study", "pair_performance", "--first", "2021-06-01", "--last", "2022-03-04", "--format", "json"],
    "replicate": ["replicate", "--format", "json"],
    "falsify": ["falsify", "risk_off", "--format", "json"],
    "audit": ["audit", "pair", "--grid", "{grid}", "--cuts", "1", "--format", "json"],
    "sweep": ["sweep", "--grid", "{grid}", "--backend", "fused", "--no-report", "--anew", "--format", "json"],
}
"""Commands that compute a strategy; they read through the panel that ``sql`` shows."""

COMMANDS = {**QUICK, **SLOW}
SLOW_AT = 3

OF_THE_RUN = ("run_id", "seconds", "timings", "report", "manifest_id", "bytes", "finished_at", "started_at")
"""Fields that differ between two runs of one command on one store, or that tell of files and not of rows."""


def known(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    """Something that happens to a store at a moment."""

    at: datetime
    what: str


EVENTS = (
    Event(known("2022-03-10T22:00:00"), "prices are revised"),
    Event(known("2022-03-17T15:30:00"), "a spread is revised"),
    Event(known("2022-03-21T09:00:00"), "a price goes to the quarantine"),
    Event(known("2022-04-04T12:00:00"), "a late dividend comes in"),
    Event(known("2022-05-02T12:00:00.000001"), "the price is released"),
)


def moments() -> tuple[datetime, ...]:
    """Return the moment just before the first event, and those of all events: what happens at a moment is seen then."""
    return (EVENTS[0].at - timedelta(microseconds=1), *(event.at for event in EVENTS))


def live(root: Path, market: SimulatedMarket, until: datetime | None) -> Store:
    """Return a store that has lived until a moment; one that has lived to the end is compacted too."""
    store = open_store(root, create=True)
    frames = {"prices": market.prices, "actions": market.actions, "macro": market.macro}
    for table, frame in frames.items():
        seen = frame.with_columns(pl.col("known_at").alias("seen_at"))
        append(store, table, seen if until is None else seen.filter(pl.col("seen_at") <= until))
    for event in EVENTS:
        if until is None or event.at <= until:
            happen(store, event, frames)
    if until is None:
        compact(store, rows=12_000)
    return store


def happen(store: Store, event: Event, frames: Mapping[str, pl.DataFrame]) -> None:
    prices, macro = frames["prices"], frames["macro"]
    spy = prices.filter((pl.col("symbol") == "SPY") & (pl.col("date") <= date(2022, 3, 9))).tail(300)
    match event.what:
        case "prices are revised":
            revised = spy.sample(40, seed=1).with_columns(pl.col("close") * 1.001)
            append(store, "prices", revised, seen_at=event.at)
        case "a spread is revised":
            spread = macro.filter((pl.col("series") == "BAMLH0A0HYM2") & (pl.col("date") <= date(2022, 3, 15)))
            append(store, "macro", spread.tail(25).with_columns(pl.col("value") + 0.07), seen_at=event.at)
        case "a price goes to the quarantine":
            held = spy.tail(1).with_columns(pl.col("known_at").alias("seen_at"), pl.lit("looks wrong").alias("reason"))
            append(store, "quarantine", quarantine_rows(SCHEMAS["prices"], held), seen_at=event.at)
        case "a late dividend comes in":
            dividend = frames["actions"].filter(pl.col("symbol") == "SPY").tail(1)
            late = dividend.with_columns(
                pl.lit(date(2021, 9, 1)).alias("date"), pl.lit(event.at).dt.cast_time_unit("us").alias("known_at")
            )
            append(store, "actions", late, seen_at=event.at)
        case "the price is released":
            release(store, "prices", "SPY", seen_at=event.at)


def without_the_run(value: object) -> object:
    """Return a document without the fields that tell of the run."""
    if isinstance(value, dict):
        return {name: without_the_run(item) for name, item in value.items() if name not in OF_THE_RUN}
    return [without_the_run(item) for item in value] if isinstance(value, list) else value


def compared(ended: Ended, out: Path) -> tuple[int, object]:
    """Return what is to be equal of a command: its exit code, and what it printed or wrote."""
    if out.exists():
        return ended.code, out.read_text()
    try:
        return ended.code, without_the_run(json.loads(ended.printed))
    except json.JSONDecodeError:
        return ended.code, ended.printed


Answers = Mapping[tuple[str, datetime], tuple[tuple[int, object], tuple[int, object]]]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Return what each command gives as of each moment: on the store of today, and on the store of then."""
    folder = tmp_path_factory.mktemp("as_of")
    grid = folder / "grid.toml"
    grid.write_text(GRID)
    market = simulate(first=FIRST, last=LAST)
    whole = live(folder / "whole", market, None)
    asked: list[tuple[tuple[str, datetime], Path]] = []
    lines: list[Sequence[object]] = []
    for number, moment in enumerate(moments()):
        then = live(folder / f"then{number}", market, moment)
        for name, words in (COMMANDS if number == SLOW_AT else QUICK).items():
            for store in (whole, then):
                out = folder / str(len(lines))
                filled = [word.format(out=out, grid=grid) for word in words]
                lines.append([*filled, "--store", store.root, "--as-of", f"{moment:%Y-%m-%dT%H:%M:%S.%f}"])
                asked.append(((name, moment), out.with_suffix(".csv")))
    given = [compared(ended, out) for ended, (_, out) in zip(run_commands(lines), asked, strict=True)]
    pairs = zip(asked[::2], given[::2], given[1::2], strict=True)
    return {key: (now, then) for (key, _), now, then in pairs}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_as_of_a_moment_gives_what_it_gave_then(answers: Answers, name: str) -> None:
    compared = {moment: pair for (command, moment), pair in answers.items() if command == name}
    assert compared
    for moment, (now, then) in compared.items():
        assert now == then, f"{name} as of {moment}"
        assert now[0] == 0, now[1]


def test_the_moments_tell_the_commands_apart(answers: Answers) -> None:
    """Each event changes what some command gives, or the comparison would say nothing."""
    for name in ("sql macro", "sql panel", "sql adjusted", "sql quarantine", "data export prices", "data status"):
        assert len({str(now) for (command, _), (now, _) in answers.items() if command == name}) > 2


def reading_commands() -> Iterator[str]:
    """Yield the names of all commands that take ``--as-of``."""
    for words in COMMANDS.values():
        yield " ".join(words[: 2 if words[0] == "data" else 1])


def test_every_command_with_the_option_is_compared() -> None:
    from tests.commands.command_process import commands_with_option

    assert set(reading_commands()) == commands_with_option("--as-of")
