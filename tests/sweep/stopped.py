"""A sweep in a process of its own that is stopped as soon as it has stored something."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from parquet_store import Store, read_manifest


def stop_sweep(store: Store, *arguments: object, how: signal.Signals) -> subprocess.CompletedProcess[str]:
    """Start ``engine sweep``, send it a signal when the first results are in the ledger, and return how it ended."""
    command = [Path(sys.executable).with_name("engine"), "sweep", "--store", store.root, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        # A file is there before the manifest tells of it, and only what the manifest tells of is stored.
        while not any(entry.table == "sweep_results" for entry in read_manifest(store).files):
            assert process.poll() is None, "the sweep ended before it could be stopped"
            time.sleep(0.002)
        process.send_signal(how)
        _, messages = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, None, messages)
