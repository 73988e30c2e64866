"""The commands check, release and compact, and the import of bars, as a user runs them."""

import json

from parquet_store import append, open_store, read_manifest
from tests.parquet_store.bars.bar_files import walk, write
from tests.parquet_store.rows import held, macro, moment


def small_store(root):
    store = open_store(root, create=True)
    append(store, "macro", macro({("A", 0): 1.0}, source="bank.csv"), seen_at=moment(0))
    append(store, "macro", macro({("A", 1): 2.0}, source="bank.csv"), seen_at=moment(1))
    return store


def test_check_names_a_flipped_byte_and_what_to_do(engine, tmp_path):
    store = small_store(tmp_path / "store")
    assert engine("data", "check").returncode == 0
    path = store.root / read_manifest(store).files[1].path
    payload = path.read_bytes()
    path.write_bytes(payload[:60] + bytes([payload[60] ^ 1]) + payload[61:])
    looked = engine("data", "check", "--format", "json")
    assert looked.returncode == 1
    (found,) = json.loads(looked.stdout)
    assert (found["severity"], found["table"], found["file"]) == ("damage", "macro", read_manifest(store).files[1].path)
    assert "2 files, 2 rows" in looked.stderr
    assert "NOT SOUND" in looked.stderr
    asked = engine("sql", "FROM macro")
    assert asked.returncode == 2
    assert "has other bytes than were written" in asked.stderr
    repaired = engine("data", "check", "--repair", "--drop")
    assert repaired.returncode == 0
    assert "its rows came from bank.csv" in repaired.stderr
    assert "taken out: data/macro/" in repaired.stderr
    assert held(store) == {("A", 0): 1.0}


def test_a_damaged_manifest_is_restored_from_its_copy(engine, tmp_path):
    store = small_store(tmp_path / "store")
    payload = store.manifest_path.read_bytes()
    for place in (3, len(payload) // 2, len(payload) - 4):
        store.manifest_path.write_bytes(payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :])
        refused = engine("data", "status")
        assert refused.returncode == 2
        assert "manifest.json is damaged; `engine data check --repair`" in refused.stderr
        repaired = engine("data", "check", "--repair")
        assert (repaired.returncode, "restored: manifest.json" in repaired.stderr) == (0, True)
        assert store.manifest_path.read_bytes() == payload
    store.manifest_path.unlink()
    assert engine("data", "check", "--repair").returncode == 0
    assert store.manifest_path.read_bytes() == payload
    store.copy_path.write_bytes(payload[:9])
    store.manifest_path.write_bytes(payload[:9])
    lost = engine("data", "check", "--repair")
    assert (lost.returncode, "Traceback" in lost.stderr) == (2, False)


def test_faulty_rows_go_into_quarantine_and_are_released(engine, tmp_path):
    store = small_store(tmp_path / "store")
    append(store, "macro", macro({("DGS10", 0): 99.0}), seen_at=moment(2))
    assert engine("data", "check").returncode == 1
    repaired = engine("data", "check", "--repair")
    assert (repaired.returncode, "1 rows put into quarantine" in repaired.stderr) == (0, True)
    assert ("DGS10", 0) not in held(store)
    asked = engine("sql", "SELECT series, reason, status FROM quarantine", "--format", "json")
    assert json.loads(asked.stdout) == [
        {"series": "DGS10", "reason": "the value is outside -2 to 25", "status": "held"}
    ]
    assert "1 rows released" in engine("data", "release", "macro", "DGS10", "--date", "2024-01-08").stdout
    assert held(store)["DGS10", 0] == 99.0
    assert engine("data", "check").returncode == 0
    again = engine("data", "release", "macro", "DGS10")
    assert (again.returncode, "the quarantine holds no row of DGS10" in again.stderr) == (2, True)


def test_compact_merges_and_removes(engine, tmp_path):
    store = small_store(tmp_path / "store")
    before = held(store)
    assert "2 files merged into 1" in engine("data", "compact", "--remove").stdout
    assert held(store) == before
    assert len(list(store.folder("macro").iterdir())) == 3
    assert "2 files removed" in engine("data", "compact", "--remove", "--grace", "0").stdout
    assert held(store) == before


def test_bars_come_in_and_are_asked_for(engine, tmp_path):
    path = write(tmp_path, walk("AB", 100))
    imported = engine("data", "import", path, "--kind", "bars", "--source", "feed")
    assert "200 bars of 2 symbols: 200 new, 0 revised, 0 unchanged, 0 put into quarantine" in imported.stdout
    asked = engine("sql", "SELECT symbol, count(*) AS n FROM bars GROUP BY ALL ORDER BY ALL", "--format", "json")
    assert json.loads(asked.stdout) == [{"symbol": "A", "n": 100}, {"symbol": "B", "n": 100}]
    assert engine("data", "status").returncode == 0
