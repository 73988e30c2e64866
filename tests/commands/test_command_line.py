import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.version import code_version
from tests.conftest import ROOT, Engine

HEAVY = ("numba", "vectorbt", "pandas", "plotly", "duckdb", "scipy")


def modules_after(*arguments: str) -> set[str]:
    """Modules that the command has imported when it ends."""
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: sys.stderr.write('MODULES ' + ' '.join(sys.modules) + '\\n'))\n"
        f"sys.argv = ['engine', *{list(arguments)!r}]\n"
        "from cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    line = next(line for line in done.stderr.splitlines() if line.startswith("MODULES "))
    return set(line.split()[1:])


def test_help_imports_nothing_heavy() -> None:
    assert not modules_after("--help") & {*HEAVY, "polars"}


def test_data_status_imports_nothing_heavy(simulated_store: object) -> None:
    imported = modules_after("data", "status", "--store", str(simulated_store.root))  # type: ignore[attr-defined]
    assert "polars" in imported
    assert not imported & set(HEAVY)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["data", "status"], ["no store", "engine data demo"]),
        (["sweep", "--grid", "absent.toml"], ["no store"]),
        (["sql", "SELECT 1"], ["no store"]),
        (["data", "import", "absent.csv"], ["absent.csv"]),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    engine_process: Engine, arguments: list[str], words: list[str]
) -> None:
    done = engine_process(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    (message,) = [line for line in done.stderr.splitlines() if line.startswith("engine: ")]
    assert all(word in message for word in words), message


def test_store_comes_from_the_option_then_the_environment_then_the_folder(
    engine: Engine, simulated_store: object, tmp_path: Path
) -> None:
    root = str(simulated_store.root)  # type: ignore[attr-defined]
    assert f"store: {root}" in engine("data", "status", "--store", root, ENGINE_STORE="elsewhere").stderr
    assert f"store: {root}" in engine("data", "status", ENGINE_STORE=root).stderr
    assert f"store: {tmp_path / 'store'}" in engine("data", "status", ENGINE_STORE="").stderr


def test_version_is_that_of_the_ledger(engine_process: Engine) -> None:
    assert engine_process("--version").stdout.strip() == code_version()


def test_status_as_json(engine: Engine, simulated_store: object) -> None:
    done = engine("data", "status", "--store", simulated_store.root, "--format", "json")  # type: ignore[attr-defined]
    rows = json.loads(done.stdout)
    assert {row["series"] for row in rows} >= {"XLF", "HYG", "VIX", "BAMLH0A0HYM2", "BTC-USD"}
    assert {row["source"] for row in rows} == {"simulated"}
