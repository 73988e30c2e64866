"""Requests to Yahoo by yfinance's own client, which keeps its cookies, its crumb and a browser's handshake.

Faults of the chart's request are taken out of the client's hands: by itself it would ask again at once, whatever the
fault, and it does not tell when Yahoo wants to be asked again.
"""

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from curl_cffi.curl import CURL_WRITEFUNC_ERROR
from curl_cffi.requests import Response as CurlResponse
from curl_cffi.requests import Session
from curl_cffi.requests.exceptions import RequestException, Timeout
from yfinance.data import YfData
from yfinance.exceptions import YFException

from parquet_store.sources.http import MAX_BYTES, retry_after
from parquet_store.sources.interface import PassingFault, Request, Response, WrongAnswer

__all__ = ["connect"]

_CLIENT_HANDLES = (400, 401, 403)
"""For these the client renews cookie and crumb and asks once more; for 429 too where Yahoo names no time to wait."""


class _Finished(Exception):  # noqa: N818 - no error: it carries a response past the client's own second attempt
    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class _YahooSession(Session[CurlResponse]):
    """A session of a browser's kind that bounds answers and sends everything to one address if told to."""

    def __init__(self, base: str | None) -> None:
        super().__init__(impersonate="chrome")
        self._base = base
        self.timeout_a_request = 30.0

    def request(self, method: Any, url: str, **options: Any) -> CurlResponse:  # type: ignore[override]
        """Send a request; the options are those of the library, which gives all of them by name."""
        chunks: list[bytes] = []
        room = MAX_BYTES

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
                msg = f"the answer has more than {MAX_BYTES >> 20} MiB"
                raise WrongAnswer(msg) from None
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


def connect(base: str | None) -> Callable[[Request, float], Response]:
    """Return a function that sends a GET request with a timeout in seconds, through yfinance's client.

    Parameters
    ----------
    base
        An address to which every request of the client goes, those for cookies included; None for Yahoo's own.

    Raises
    ------
    PassingFault
        From the function: a timeout, a connection that is refused or breaks, too many requests.
    WrongAnswer
        From the function: an answer that is too long.
    """
    logging.getLogger("yfinance").setLevel(logging.ERROR)  # it warns of every crumb that it goes on without
    session = _YahooSession(base)
    client = YfData(session=session)
    client._set_session(session)  # noqa: SLF001 - the client is one a process, and may have been made by another fetch
    if base is not None:
        client._cookie = True  # noqa: SLF001 - another address has no cookie to give, and would be asked for it each time

    def send(request: Request, timeout: float) -> Response:
        session.timeout_a_request = timeout
        try:
            response = client.get(request.url, params=dict(request.query), timeout=timeout)
        except _Finished as finished:
            return finished.response
        except Timeout:
            what = f"no answer within {timeout:g} s"
        except RequestException as error:
            what = f"no connection, or it broke ({type(error).__name__})"
        except YFException:
            return Response(429, b"")
        else:
            return _plain(response)
        raise PassingFault(what) from None

    return send


def _settle(response: CurlResponse) -> None:
    """Take a chart's answer past the client, unless the client can mend what is wrong with it."""
    waits = "Retry-After" in response.headers
    if response.status_code not in _CLIENT_HANDLES and (response.status_code != 429 or waits):
        raise _Finished(_plain(response))


def _plain(response: CurlResponse) -> Response:
    return Response(response.status_code, response.content, retry_after(response.headers.get("Retry-After")))
