"""Yahoo's client in its own process: what it passes on, and what becomes of a fetch when the process goes."""

import os
import select
import signal
import subprocess
import sys

import pytest

from parquet_store import yahoo_client
from parquet_store.yahoo_client import ClientFault, process
from tests.parquet_store.fetching.made_up_market import market
from tests.parquet_store.fetching.replay_server import Fault, replaying

CHART = {"period1": "0", "period2": "4102444800", "interval": "1d", "events": "div,split"}


@pytest.fixture
def server():
    with replaying(market()) as state:
        yield state


def ask(server, symbol="FUND", timeout=5.0):
    return yahoo_client.ask(f"{server.base}/v8/finance/chart/{symbol}", CHART, timeout)


def test_answers_come_as_the_provider_gave_them(server):
    yahoo_client.connect(server.base, 2**20)
    assert ask(server).body.startswith(b'{"chart"')
    assert ask(server, "NOTHING").status == 404
    server.faults = [Fault("429", "FUND")]
    limited = ask(server)
    assert (limited.status, limited.retry_after) == (429, "1")


def test_answers_are_bounded(server):
    yahoo_client.connect(server.base, 1000)
    with pytest.raises(ClientFault, match="the answer has more than 0 MiB") as raised:
        ask(server)
    assert not raised.value.passes


def test_faults_that_can_pass_are_told_apart(server):
    yahoo_client.connect(server.base, 2**20)
    server.faults = [Fault("hang", "FUND")]
    with pytest.raises(ClientFault, match=r"no answer within 0\.5 s") as raised:
        ask(server, timeout=0.5)
    assert raised.value.passes
    server.faults = [Fault("drop", "FUND")]
    with pytest.raises(ClientFault, match="no connection, or it broke") as raised:
        ask(server)
    assert raised.value.passes


def test_each_connection_begins_with_a_new_crumb(server):
    for _ in range(2):
        yahoo_client.connect(server.base, 2**20)
        ask(server)
    assert len(server.requests("getcrumb")) == 2


def test_a_process_that_is_killed_fails_its_questions_and_is_started_again(server):
    yahoo_client.connect(server.base, 2**20)
    ask(server)
    os.kill(process._client.process.pid, signal.SIGKILL)
    with pytest.raises(ClientFault, match="the process of yfinance's client has ended") as raised:
        ask(server)
    assert not raised.value.passes
    yahoo_client.connect(server.base, 2**20)
    assert ask(server).status == 200


def test_the_process_ends_with_the_one_that_started_it():
    code = (
        "import os, signal; from parquet_store.yahoo_client import process; process.start();"
        "print(process._client.process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=False, timeout=30)
    assert ended(int(killed.stdout))


def ended(pid: int) -> bool:
    """Wait for the end of a process that is no child of this one."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 20.0)[0])
    finally:
        os.close(descriptor)
