"""The process from outside: started once, asked from any thread, gone with the one that started it."""

import atexit
import json
import os
import subprocess
import sys
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from typing import Any, BinaryIO

__all__ = ["Came", "ClientFault", "ask", "connect", "end", "start"]

_PROGRAM = Path(__file__).with_name("client.py")
_SECRET = "FRED_API_KEY"  # noqa: S105 - the name of the variable, which the process has no business with

_STARTS_WITHIN = 45.0
_REQUESTS = 6
"""The client may ask for cookie and crumb, for both once more, and for the answer twice."""


class ClientFault(Exception):  # noqa: N818 - mostly a fault of the line, not of this program
    """No answer came; `passes` says whether one may come when it is asked again."""

    def __init__(self, reason: str, *, passes: bool) -> None:
        super().__init__(reason)
        self.passes = passes


@dataclass(frozen=True)
class Came:
    """An answer: status, the header Retry-After or None, body."""

    status: int
    retry_after: str | None
    body: bytes = field(repr=False)


class _Client:
    """A running process, with the questions that it has not answered yet."""

    def __init__(self) -> None:
        environment = {name: value for name, value in os.environ.items() if name != _SECRET}
        # -P: the folder of the program is no place to import from. Its own group: an interrupt is for us to handle.
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            process_group=0,
        )
        self.owner = os.getpid()
        self._writing, self._numbers = Lock(), count()
        self._changing, self._ended = Lock(), False
        self._waiting: dict[int, Future[Came]] = {}
        Thread(target=self._read, name="yahoo-answers", daemon=True).start()

    @property
    def usable(self) -> bool:
        """Whether it runs, and was started by this process and not by one that this one was forked from."""
        return self.owner == os.getpid() and not self._ended and self.process.poll() is None

    def send(self, message: dict[str, Any]) -> None:
        """Send a message that has no answer."""
        assert self.process.stdin is not None  # noqa: S101 - it was asked for
        try:
            with self._writing:
                self.process.stdin.write(json.dumps(message).encode() + b"\n")
                self.process.stdin.flush()
        except OSError:
            self._fail_all()

    def ask(self, url: str, query: dict[str, str], timeout: float) -> Came:
        """Send a question and wait for its answer."""
        number, future = next(self._numbers), Future[Came]()
        with self._changing:
            if self._ended:
                raise _has_ended()
            self._waiting[number] = future
        self.send({"number": number, "url": url, "query": query, "timeout": timeout})
        try:
            return future.result(_STARTS_WITHIN + _REQUESTS * timeout)
        except TimeoutError:
            self.end()  # all who wait are told by the end of its answers
            msg = "the process of yfinance's client did not answer and was ended"
            raise ClientFault(msg, passes=False) from None

    def _read(self) -> None:
        """Hand answers to those who wait for them, until there are no more."""
        assert self.process.stdout is not None  # noqa: S101 - it was asked for
        stream: BinaryIO = self.process.stdout  # type: ignore[assignment]  # a pipe in binary mode
        for line in stream:
            head = json.loads(line)
            body = stream.read(head["length"])
            with self._changing:
                future = self._waiting.pop(head["number"], None)
            if future is None:
                continue
            if "status" in head:
                future.set_result(Came(head["status"], head["retry_after"], body))
            else:
                wrong = head.get("wrong")
                future.set_exception(ClientFault(wrong or head["passing"], passes=wrong is None))
        self._fail_all()

    def _fail_all(self) -> None:
        """Tell all who wait that the process has ended, and let nobody wait for it any more."""
        with self._changing:
            self._ended = True
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(_has_ended())

    def end(self) -> None:
        """End the process, unless it belongs to the one that this one was forked from."""
        if self.owner != os.getpid():
            return
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def _has_ended() -> ClientFault:
    return ClientFault("the process of yfinance's client has ended", passes=False)


_lock = Lock()
_client: _Client | None = None


def start() -> None:
    """Start the process if it does not run, and do not wait until it is ready."""
    global _client  # noqa: PLW0603 - one process serves all fetches of this one, because it takes a second to start
    with _lock:
        if _client is None or not _client.usable:
            end()
            _client = _Client()


@atexit.register
def end() -> None:
    """End the process; the next fetch starts another one."""
    if _client is not None:
        _client.end()


def connect(base: str | None, most_bytes: int) -> None:
    """Let the questions that follow go through a new client of Yahoo's, without cookie and crumb.

    Parameters
    ----------
    base
        An address to which every request goes, those for cookies included; None for Yahoo's own.
    most_bytes
        How long an answer may be.
    """
    start()
    if _client is not None:
        _client.send({"connect": base, "most_bytes": most_bytes})


def ask(url: str, query: dict[str, str], timeout: float) -> Came:
    """Return the answer to a GET request; `connect` comes first.

    Raises
    ------
    ClientFault
        If none came: no connection, a timeout, too long a body (``too long``), or the process has ended.
    """
    if _client is None:
        msg = "the process of yfinance's client was not started"
        raise ClientFault(msg, passes=False)
    return _client.ask(url, query, timeout)
