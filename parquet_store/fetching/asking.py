"""Asking a provider: at its pace, and again where a fault can pass."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from parquet_store.sources.interface import Answer, Limits, PassingFault, Request, Response, WrongAnswer
from parquet_store.sources.secrets import redacted_url

__all__ = ["Pace", "Provider", "Throttle"]

_PASSING = (408, 425, 429, 500, 502, 503, 504)
_LONGEST_WAIT = 120.0
_SURELY_DOWN = 3


@dataclass(frozen=True)
class Pace:
    """How long and how often is waited; the functions are there so that tests need not wait.

    Attributes
    ----------
    timeout
        Seconds for a connection and for each wait for bytes.
    attempts
        How often one question is asked at most.
    clock, sleep
        The clock by which requests are spaced, in seconds, and the function that waits.
    jitter
        Draws a number between two others; it keeps several waiting questions from coming back at one moment.
    """

    timeout: float = 15.0
    attempts: int = 4
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[float, float], float] = random.uniform


class Throttle:
    """Turns at one provider: a few at once, a burst at the start, then so many a minute."""

    def __init__(self, limits: Limits, pace: Pace) -> None:
        self._pace = pace
        self._slots = threading.BoundedSemaphore(limits.at_once)
        self._lock = threading.Lock()
        self._interval = 60.0 / limits.per_minute
        self._allowance = self._interval * (limits.burst - 1)
        self._due = pace.clock() - self._allowance
        """When the next request would be sent if all were evenly spaced; at most a burst behind the clock."""
        self._paused_until = self._due

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and hold one of the places while the block runs."""
        with self._slots:
            with self._lock:
                now = self._pace.clock()
                self._due = max(self._due, now - self._allowance)
                wait = max(self._due, self._paused_until) - now
                self._due += self._interval
            if wait > 0:
                self._pace.sleep(wait)
                paused = self._paused_until - self._pace.clock()  # meanwhile another question may have been sent away
                if paused > 0:
                    self._pace.sleep(paused)
            yield

    def pause(self, seconds: float) -> None:
        """Let nobody have a turn for some seconds."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._pace.clock() + seconds)


class Provider:
    """An open connection to a provider, shared by all of its series.

    Parameters
    ----------
    title
        The provider's name in messages.
    connect
        Opens the connection; it is called with the first question.
    limits
        The provider's pace.
    stopped
        Set when the fetch is being given up: nothing is asked any more.
    """

    def __init__(
        self,
        title: str,
        connect: Callable[[], Callable[[Request, float], Response]],
        limits: Limits,
        pace: Pace,
        stopped: threading.Event,
    ) -> None:
        self._title, self._connect, self._pace, self._stopped = title, connect, pace, stopped
        self._throttle = Throttle(limits, pace)
        self._lock = threading.Lock()
        self._send: Callable[[Request, float], Response] | None = None
        self._in_vain = 0
        """Questions given up since the last answer: a provider that is down is not asked everything four times."""

    def ask(self, request: Request, *, accept: Callable[[Response], bool] | None = None) -> Answer:
        """Return the answer to a question.

        Timeouts, broken connections, too many requests and faults of the server are asked again, after the time that
        the provider names or one that doubles; all else is not.

        Parameters
        ----------
        accept
            Says which answers beside those of status 200 are wanted.

        Raises
        ------
        WrongAnswer
            If no answer came, with the last fault and how often was asked.
        """
        for attempt in range(1, self._pace.attempts + 1):
            try:
                response = self._attempt(request)
                self._in_vain = 0
                if response.status == 200 or (accept is not None and accept(response)):
                    return Answer(redacted_url(request.url, request.query), response.body, datetime.now(UTC))
                _refuse(response)
            except PassingFault as fault:
                if attempt == self._pace.attempts or self._in_vain >= _SURELY_DOWN:
                    self._in_vain += 1
                    msg = f"{self._title}: {fault}, asked {attempt} times"
                    raise WrongAnswer(msg) from None
                self._wait(fault, attempt)
        msg = "the question was not asked"
        raise WrongAnswer(msg)

    def _attempt(self, request: Request) -> Response:
        if self._stopped.is_set():
            msg = "the fetch was given up"
            raise WrongAnswer(msg)
        with self._lock:
            if self._send is None:
                self._send = self._connect()
        with self._throttle.turn():
            return self._send(request, self._pace.timeout)

    def _wait(self, fault: PassingFault, attempt: int) -> None:
        """Wait before the next attempt, or give up where the provider wants to be left alone for long."""
        if fault.retry_after is None:
            longest = 2.0 ** (attempt - 1)
            self._pace.sleep(self._pace.jitter(0.5 * longest, longest))
        elif fault.retry_after > _LONGEST_WAIT:
            msg = f"{self._title}: {fault}, and wants to be asked again in {fault.retry_after:,.0f} s"
            raise WrongAnswer(msg) from None
        else:
            self._throttle.pause(fault.retry_after)


def _refuse(response: Response) -> None:
    if response.status in _PASSING:
        what = "too many requests" if response.status == 429 else "the server failed"
        msg = f"{what} (status {response.status})"
        raise PassingFault(msg, response.retry_after)
    what = "there is no such series or page" if response.status == 404 else "the request was refused"
    msg = f"{what} (status {response.status})"
    raise WrongAnswer(msg)
