"""The program of the process: requests to Yahoo by yfinance's own client, which keeps its cookies and its crumb.

It also shows a browser's handshake. Faults of the chart's request are taken out of the client's hands: by itself it
would ask again at once, whatever the fault, and it does not tell when Yahoo wants to be asked again.

A question is a line of JSON on standard input. An answer is a line of JSON on standard output, and the body after it;
answers come in the order in which they are ready. The process ends with its input. It imports nothing of the store.
"""

import json
import logging
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, BinaryIO
from urllib.parse import urlsplit, urlunsplit

from curl_cffi.curl import CURL_WRITEFUNC_ERROR
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException, Timeout
from yfinance.data import YfData
from yfinance.exceptions import YFException

_CLIENT_HANDLES = (400, 401, 403)
"""For these the client renews cookie and crumb and asks once more; for 429 too where Yahoo names no time to wait."""

_AT_ONCE = 8


class _Finished(Exception):  # noqa: N818 - no error: it carries a response past the client's own second attempt
    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class _TooLong(Exception):  # noqa: N818 - what came, not what broke
    """The answer has more bytes than are wanted."""


class _YahooSession(Session[Response]):
    """A session of a browser's kind that bounds answers and sends everything to one address if told to."""

    def __init__(self, base: str | None, most_bytes: int) -> None:
        super().__init__(impersonate="chrome")
        self._base, self._most_bytes = base, most_bytes
        self.timeout_a_request = 30.0

    def request(self, method: Any, url: str, **options: Any) -> Response:  # type: ignore[override]
        """Send a request; the options are those of the library, which gives all of them by name."""
        chunks: list[bytes] = []
        room = self._most_bytes

        def keep(chunk: bytes) -> int:
            nonlocal room
            room -= len(chunk)
            if room < 0:
                return CURL_WRITEFUNC_ERROR
            chunks.append(chunk)
            return len(chunk)

        options |= {"timeout": self.timeout_a_request, "content_callback": keep}
        try:
            response = super().request(method, self._address(url), **options)
        except RequestException:
            if room < 0:
                msg = f"the answer has more than {self._most_bytes >> 20} MiB"
                raise _TooLong(msg) from None
            raise
        response.content = b"".join(chunks)
        if "/v8/finance/chart/" in url:
            _settle(response)
        return response

    def _address(self, url: str) -> str:
        """Return where a request of the client goes: with another base, none of them leaves for Yahoo itself."""
        if self._base is None or url.startswith(f"{self._base}/"):
            return url
        here, asked = urlsplit(self._base), urlsplit(url)
        return urlunsplit((here.scheme, here.netloc, here.path + asked.path, asked.query, ""))


def _settle(response: Response) -> None:
    """Take a chart's answer past the client, unless the client can mend what is wrong with it."""
    waits = "Retry-After" in response.headers
    if response.status_code not in _CLIENT_HANDLES and (response.status_code != 429 or waits):
        raise _Finished(response)


_Send = Callable[[str, dict[str, str], float], Response]


def _connected(base: str | None, most_bytes: int) -> _Send:
    """Return a function that sends a request, with a client that has neither cookie nor crumb yet.

    Parameters
    ----------
    base
        An address to which every request of the client goes, those for cookies included; None for Yahoo's own.
    most_bytes
        How long an answer may be.
    """
    logging.getLogger("yfinance").setLevel(logging.ERROR)  # it warns of every crumb that it goes on without
    session = _YahooSession(base, most_bytes)
    type(YfData)._instances.clear()  # noqa: SLF001 - the client is one a process, and may have been made by another fetch
    client = YfData(session=session)
    if base is not None:
        client._cookie = True  # noqa: SLF001 - another address has no cookie to give, and would be asked for it each time

    def send(url: str, query: dict[str, str], timeout: float) -> Response:
        session.timeout_a_request = timeout
        try:
            response: Response = client.get(url, params=query, timeout=timeout)
        except _Finished as finished:
            return finished.response
        return response

    return send


def _answer(send: _Send, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return what came, or what went wrong: ``passing`` where it can pass, else ``wrong``."""
    timeout = question["timeout"]
    try:
        response = send(question["url"], question["query"], timeout)
    except _TooLong as error:
        return {"wrong": str(error)}, b""
    except Timeout:
        return {"passing": f"no answer within {timeout:g} s"}, b""
    except RequestException as error:
        return {"passing": f"no connection, or it broke ({type(error).__name__})"}, b""
    except YFException:
        return {"status": 429, "retry_after": None}, b""
    except Exception as error:  # noqa: BLE001 - whoever asked waits for an answer, whatever the client does
        return {"wrong": f"the client failed ({type(error).__name__})"}, b""
    return {"status": response.status_code, "retry_after": response.headers.get("Retry-After")}, response.content


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer questions until there are no more."""
    lock = Lock()
    send: _Send | None = None

    def work(by: _Send, question: dict[str, Any]) -> None:
        head, body = _answer(by, question)
        line = json.dumps({"number": question["number"], "length": len(body), **head})
        with lock:
            answers.write(line.encode() + b"\n" + body)
            answers.flush()

    pool = ThreadPoolExecutor(_AT_ONCE)
    for line in questions:
        message = json.loads(line)
        if "connect" in message:
            send = _connected(message["connect"], message["most_bytes"])
        elif send is not None:
            pool.submit(work, send, message)


if __name__ == "__main__":
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no answer
    serve(sys.stdin.buffer, channel)
    os._exit(0)  # without waiting for answers that nobody will read
