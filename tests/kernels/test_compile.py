"""The cache of compiled code: fresh when any source changes, safe between processes, and never a cause of failure."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from kernels import compile as compiling

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
from pathlib import Path
import sys
from kernels.compile import compilation_notice
sys.path.insert(0, sys.argv[1])
import outer
compiled = []
with compilation_notice(compiled.append):
    print(outer.twice(3), ",".join(sorted(compiled)))
"""

INNER = """
from pathlib import Path
from kernels.compile import compile_with
@compile_with(sources=[Path(__file__).parent])
"""


def run(folder: Path, cache: Path | str, program: str = PROGRAM, **environment: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(folder)],
        cwd=ROOT, env={**os.environ, "ENGINE_CACHE": str(cache), **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two modules outside the package, one calling the other."""
    place = tmp_path / "code"
    place.mkdir()
    (place / "inner.py").write_text(f"{INNER}def factor(x):\n    return 2 * x\n")
    (place / "outer.py").write_text(f"from inner import factor{INNER}def twice(x):\n    return factor(x)\n")
    return place


def test_compiles_once_and_again_when_what_it_calls_changes(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run(folder, cache) == "6 factor,twice"
    assert run(folder, cache) == "6"
    (folder / "inner.py").write_text(f"{INNER}def factor(x):\n    return 20 * x\n")
    assert run(folder, cache) == "60 factor,twice"
    places = {path.parent for path in cache.rglob("twice*.nbi")}
    assert len(places) == 2, "code of either source is kept"


def test_without_a_place_to_write_it_still_runs(folder: Path, tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    nowhere = {"XDG_CACHE_HOME": str(occupied), "HOME": str(occupied), "TMPDIR": str(tmp_path)}
    assert run(folder, occupied, **nowhere) == "6 factor,twice"
    assert run(folder, occupied, **nowhere) == "6", "the temporary directory is the last resort"


def test_with_no_place_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    monkeypatch.setattr(compiling, "_cache_parents", lambda: iter([occupied]))
    compiling.cache_directory.cache_clear()
    try:
        assert compiling.cache_directory() is None
        assert compiling.jit(lambda x: x + 1)(2) == 3
    finally:
        compiling.cache_directory.cache_clear()


def test_a_damaged_cache_costs_time_only(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run(folder, cache)
    for path in (cache / "compiled").rglob("*.nb?"):
        path.write_bytes(path.read_bytes()[:40])
    assert run(folder, cache) == "6 factor,twice"


def test_others_cannot_put_code_there(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    assert compiling._is_private(shared)
    shared.chmod(0o777)
    assert not compiling._is_private(shared)


def test_many_first_starts_at_once(folder: Path, tmp_path: Path) -> None:
    """Each process asks for other signatures of the same functions, so that they write to one index at once."""
    program = textwrap.dedent("""
        import sys
        sys.path.insert(0, sys.argv[1])
        import numpy as np
        import outer
        number = int(sys.argv[2])
        kinds = [np.int16, np.float32, np.float64]
        for kind in kinds[number:] + kinds[:number]:
            assert outer.twice(kind(3)) == 6
            values = outer.twice(np.arange(4, dtype=kind))
            assert values.tolist() == [0, 2, 4, 6], values
    """)
    environment = {**os.environ, "ENGINE_CACHE": str(tmp_path / "cache")}
    for _ in range(2):  # cold, then from the cache that they wrote together
        started = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(folder), str(number)],
                cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True,
            )
            for number in range(3)
        ]  # fmt: skip
        for process in started:
            _, errors = process.communicate()
            assert process.returncode == 0, errors
    finished = run(folder, tmp_path / "cache", program.replace("sys.argv[2]", "'0'"))
    assert not finished


def test_old_directories_go(tmp_path: Path) -> None:
    for number in range(compiling.KEPT_DIRECTORIES + 5):
        directory = tmp_path / f"{number:02d}"
        directory.mkdir()
        os.utime(directory, (number, number))
    keep = tmp_path / "00"
    compiling._prune(tmp_path, keep)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"00", *(f"{number:02d}" for number in range(5, compiling.KEPT_DIRECTORIES + 5))}


def test_no_contraction_and_no_reordering_is_asked_for() -> None:
    assert compiling.OPTIONS["fastmath"] is False
