"""The provider's pace and what is asked again, on a clock that is moved by waiting."""

import threading

import pytest

from parquet_store.fetching.asking import Pace, Provider, Throttle
from parquet_store.sources.interface import Limits, PassingFault, Request, Response, WrongAnswer

REQUEST = Request("http://example.invalid/data", {"api_key": "secret", "id": "A"})


class Clock:
    """A clock that stands still except for waiting."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    @property
    def pace(self) -> Pace:
        return Pace(clock=lambda: self.now, sleep=self.sleep, jitter=lambda low, high: (low + high) / 2)


def provider(clock: Clock, answers: list, limits: Limits | None = None) -> tuple[Provider, list[float]]:
    """Return a provider that gives these answers in turn, and the moments at which it was asked."""
    asked: list[float] = []

    def send(_request: Request, _timeout: float) -> Response:
        asked.append(clock.now)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    many = limits or Limits(per_minute=6000, burst=1000, at_once=10)
    return Provider("FRED", lambda: send, many, clock.pace, threading.Event()), asked


def test_a_burst_and_then_so_many_a_minute():
    clock = Clock()
    throttle = Throttle(Limits(per_minute=60, burst=3, at_once=1), clock.pace)
    moments = []
    for _ in range(6):
        with throttle.turn():
            moments.append(clock.now - 1000.0)
    assert moments == [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]
    clock.now += 100.0  # rested: the burst is there again, and no more
    before = clock.now
    moments = []
    for _ in range(5):
        with throttle.turn():
            moments.append(clock.now - before)
    assert moments == pytest.approx([0.0, 0.0, 0.0, 1.0, 2.0])


def test_no_more_than_so_many_at_once():
    throttle = Throttle(Limits(per_minute=6000, burst=100, at_once=2), Pace())
    inside, most, lock, together = 0, 0, threading.Lock(), threading.Barrier(2)

    def work() -> None:
        nonlocal inside, most
        with throttle.turn():
            with lock:
                inside += 1
                most = max(most, inside)
            together.wait(timeout=10)  # two are inside at a time, or this breaks
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_can_pass_is_asked_again_with_growing_waits(status):
    clock = Clock()
    asking, asked = provider(clock, [Response(status, b""), PassingFault("no answer"), Response(200, b"yes")])
    assert asking.ask(REQUEST).body == b"yes"
    assert clock.waits == [0.75, 1.5]
    assert len(asked) == 3


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410])
def test_what_cannot_pass_is_asked_once(status):
    clock = Clock()
    asking, asked = provider(clock, [Response(status, b"")])
    with pytest.raises(WrongAnswer, match=f"status {status}"):
        asking.ask(REQUEST)
    assert len(asked) == 1


def test_retry_after_holds_for_every_question_to_the_provider():
    clock = Clock()
    asking, asked = provider(clock, [Response(429, b"", 7.0), Response(200, b"a"), Response(200, b"b")])
    asking.ask(REQUEST)
    asking.ask(REQUEST)
    assert [moment - 1000.0 for moment in asked] == [0.0, 7.0, 7.0]


def test_a_pause_holds_for_a_question_that_is_waiting_already():
    clock = Clock()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if len(clock.waits) == 1:
            throttle.pause(5.0)

    throttle = Throttle(
        Limits(per_minute=60, burst=1, at_once=2), Pace(clock=lambda: clock.now, sleep=sleep, jitter=lambda low, _: low)
    )
    for _ in range(2):
        with throttle.turn():
            pass
    assert clock.waits == [1.0, 5.0]


def test_a_long_retry_after_is_not_waited_for():
    clock = Clock()
    asking, asked = provider(clock, [Response(429, b"", 3600.0)])
    with pytest.raises(WrongAnswer, match="wants to be asked again in 3,600 s"):
        asking.ask(REQUEST)
    assert (clock.waits, len(asked)) == ([], 1)


def test_a_provider_that_is_down_is_not_asked_everything_four_times():
    clock = Clock()
    asking, asked = provider(clock, [PassingFault("no connection")] * 20)
    for _ in range(5):
        with pytest.raises(WrongAnswer, match=r"^FRED: no connection, asked \d times$"):
            asking.ask(REQUEST)
    assert len(asked) == 3 * 4 + 2


def test_after_an_interruption_nothing_is_asked():
    stopped = threading.Event()
    stopped.set()
    asking = Provider("FRED", lambda: pytest.fail("asked"), Limits(60, 1, 1), Pace(), stopped)
    with pytest.raises(WrongAnswer, match="given up"):
        asking.ask(REQUEST)


def test_the_answer_bears_its_address_without_the_key():
    asking, _ = provider(Clock(), [Response(200, b"yes")])
    answer = asking.ask(REQUEST)
    assert answer.url == "http://example.invalid/data?api_key=REDACTED&id=A"
    assert "secret" not in repr(answer) + repr(REQUEST)
