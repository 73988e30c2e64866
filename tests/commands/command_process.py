"""Many commands in one process: what each prints and how it ends, without paying for the imports of each."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tests.conftest import ROOT

_PROGRAM = """
import io, json, sys
from cli import app
from parquet_store.errors import EngineError

answers = sys.stdout
for line in sys.stdin:
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    sys.stdout, sys.stderr, code = printed, io.StringIO(), 0
    try:
        code = app(json.loads(line), standalone_mode=False) or 0
    except SystemExit as end:
        code = end.code or 0
    except EngineError as error:
        code, _ = 2, printed.write(f"engine: {error}")
    finally:
        sys.stdout = answers
    print(json.dumps([code, printed.buffer.getvalue().decode()]), file=answers)
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and its standard output or its one sentence of an error."""

    code: int
    printed: str


def run_commands(commands: Sequence[Sequence[object]]) -> list[Ended]:
    """Run commands one after the other in one process, and return how each ended."""
    lines = "\n".join(json.dumps([str(argument) for argument in command]) for command in commands)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], input=lines, capture_output=True, text=True, cwd=ROOT, check=True
    )
    return [Ended(*json.loads(line)) for line in done.stdout.splitlines()]


def commands_with_option(option: str) -> set[str]:
    """Return the commands, subcommands with their group's name, that take an option."""
    program = (
        "import json, typer; from cli import app; top = typer.main.get_command(app)\n"
        "def leaves(command, name):\n"
        "    inner = getattr(command, 'commands', None)\n"
        "    if inner is None:\n"
        "        yield name, [each for parameter in command.params for each in parameter.opts]\n"
        "    for key, each in (inner or {}).items():\n"
        "        yield from leaves(each, f'{name} {key}'.strip())\n"
        "print(json.dumps(dict(leaves(top, ''))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    return {name for name, options in json.loads(done.stdout).items() if option in options}
