"""A damaged file is made again from the raw answers, byte for byte."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import polars as pl
import pytest

from parquet_store import load_universe, open_store, read_manifest, revise, scan
from parquet_store.checks import check_store, drop_answers, repair_store
from parquet_store.fetching.admission import admit
from parquet_store.fetching.held import load_held
from parquet_store.fetching.raw_archive import KeptAnswer, archive_folder, keep, kept_fetches
from parquet_store.sources import Answer, Span
from tests.parquet_store.rows import contents

SERIES = ("DGS10", "DTB3")
FIRST = datetime(2024, 2, 1, 13, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store", create=True)


def body(name, days, revised=()):
    """Return what FRED answers: a value for each of the weekdays from the first of January on."""
    begin = date(2024, 1, 1)
    weekdays = [day for day in (begin + timedelta(days=number) for number in range(days)) if day.weekday() < 5]
    lines = [f"{day},{4.5 if day in revised else 4 + day.day / 100}" for day in weekdays]
    return "\n".join([f"observation_date,{name}", *lines, ""]).encode()


def fetched(store, at, days, revised=()):
    """Take in the answers for both series as a fetch does."""
    universe = load_universe()
    answers = {
        name: [
            KeptAnswer("fred", name, "rows", Span(None, at.date()), Answer("https://x", body(name, days, revised), at))
        ]
        for name in SERIES
    }
    archive_folder(store).mkdir(exist_ok=True)
    raw = keep(store, [kept for each in answers.values() for kept in each], at)
    held = load_held(store, [universe[name] for name in SERIES], read_manifest(store))
    rows = [admit(universe[name], answers[name], held[name], at).rows for name in SERIES]
    return revise(store, [("macro", pl.concat(rows))], seen_at=at, raw=(raw,)).entries


def three_fetches(store):
    fetched(store, FIRST, 20)
    fetched(store, FIRST + timedelta(days=1), 25, revised=(date(2024, 1, 10),))
    fetched(store, FIRST + timedelta(days=2), 30, revised=(date(2024, 1, 10),))
    return read_manifest(store).files


def harm(store, entry):
    path = store.root / entry.path
    payload = path.read_bytes()
    path.write_bytes(payload[:80] + bytes([payload[80] ^ 1]) + payload[81:])


@pytest.mark.parametrize("damaged", [(0,), (1,), (2,), (0, 1, 2)])
def test_damaged_files_come_back_byte_for_byte(store, damaged):
    files = three_fetches(store)
    before, payloads = contents(store), {entry.path: (store.root / entry.path).read_bytes() for entry in files}
    for number in damaged:
        harm(store, files[number])
    report = check_store(store)
    assert [entry.path for entry in report.damaged] == [files[number].path for number in damaged]
    repaired = repair_store(store, report)
    assert [entry.path for entry in repaired.restored] == [files[number].path for number in damaged]
    assert repaired.lost == ()
    assert {path: (store.root / path).read_bytes() for path in payloads} == payloads
    after = contents(store)
    assert after[0] == before[0]
    assert all(after[1][table].equals(before[1][table]) for table in before[1])


def test_damaged_raw_answers_are_named_and_put_aside(store):
    three_fetches(store)
    before = contents(store)
    harmed = kept_fetches(store)[1]
    payload = harmed.read_bytes()
    harmed.write_bytes(payload[:90] + bytes([payload[90] ^ 1]) + payload[91:])
    report = check_store(store)
    assert report.damaged_answers == (harmed,)
    assert report.findings.select("severity", "table", "file").row(0) == ("damage", "raw", f"raw/{harmed.name}")
    assert not report.sound
    assert check_store(store, as_of=FIRST).sound
    assert drop_answers(store, report.damaged_answers) == (harmed,)
    assert (store.root / "damaged" / harmed.name).is_file()
    assert not harmed.exists()
    left = check_store(store)
    assert left.sound
    assert "are not in the archive; 1 files of rows" in left.findings.filter(table="raw")["what"][0]
    after = contents(store)
    assert all(after[1][table].equals(before[1][table]) for table in before[1])


def test_a_missing_file_comes_back_too(store):
    files = three_fetches(store)
    payload = (store.root / files[1].path).read_bytes()
    (store.root / files[1].path).unlink()
    assert repair_store(store, check_store(store)).restored == (files[1],)
    assert (store.root / files[1].path).read_bytes() == payload


def test_other_bytes_of_the_same_rows_get_a_new_entry(store, monkeypatch):
    """As if another version of the library wrote the file."""
    files = three_fetches(store)
    rows = scan(store, "macro").collect()
    harm(store, files[0])

    def otherwise(_, frame):
        buffer = BytesIO()
        frame.write_parquet(buffer, compression="uncompressed")
        return buffer.getbuffer()

    monkeypatch.setattr("parquet_store.checks.restore.parquet_bytes", otherwise)
    assert len(repair_store(store, check_store(store)).restored) == 1
    assert read_manifest(store).files[0].sha256 != files[0].sha256
    assert check_store(store).sound
    assert scan(store, "macro").collect().equals(rows)


@pytest.mark.parametrize("harmed", ["absent", "damaged"])
def test_without_the_raw_answers_the_loss_is_said_and_nothing_changes(store, harmed):
    files = three_fetches(store)
    harm(store, files[1])
    raw = next(path for path in kept_fetches(store) if files[1].raw[0] in path.name)
    if harmed == "absent":
        raw.unlink()
    else:
        raw.write_bytes(raw.read_bytes()[:-1] + b"x")
    repaired = repair_store(store, check_store(store))
    assert repaired.restored == ()
    ((entry, remedy),) = repaired.lost
    assert entry == files[1]
    assert "rows of DGS10, DTB3 from 2024-01-10" in remedy
    assert "the raw answers" in remedy
    assert "and then fetch again" in remedy
    assert read_manifest(store).files == files
    assert archive_folder(store).is_dir()
