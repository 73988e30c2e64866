"""Plain HTTP: one bounded GET, whose faults are told apart into those that can pass and the rest."""

import os
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from parquet_store.sources.interface import PassingFault, Request, Response, WrongAnswer
from parquet_store.sources.secrets import hide_secrets_in_logs

__all__ = ["MAX_BYTES", "base_url", "bounded", "connect", "retry_after"]

MAX_BYTES = 64 * 2**20
"""An answer may unpack to this many bytes; the longest expected one has less than five million."""

_CHUNK = 2**16
_WHOLE = 4.0


def base_url(variable: str, default: str) -> str:
    """Return the address of a provider: the environment variable's, else the provider's own, without final slash."""
    return (os.environ.get(variable, "").strip() or default).rstrip("/")


def connect() -> Callable[[Request, float], Response]:
    """Return a function that sends a GET request with a timeout in seconds.

    The timeout holds for the connection and for each wait for bytes; the whole answer may take four times as long.
    Proxies and certificates of the environment are honoured.

    Raises
    ------
    PassingFault
        From the function: a timeout, a connection that is refused or breaks, an answer shorter than announced.
    WrongAnswer
        From the function: an answer that is too long.
    """
    import requests  # noqa: PLC0415 - only a fetch needs it

    hide_secrets_in_logs()
    session = requests.Session()
    session.headers["User-Agent"] = "credit-stress-engine"

    def send(request: Request, timeout: float) -> Response:
        try:
            with session.get(request.url, params=dict(request.query), timeout=timeout, stream=True) as response:
                body = bounded(response.iter_content(_CHUNK), time.monotonic() + _WHOLE * timeout)
                return Response(response.status_code, body, retry_after(response.headers.get("Retry-After")))
        # The library's messages bear the address with its key: only the kind of fault goes on, and not the cause.
        except requests.Timeout:
            what = f"no answer within {timeout:g} s"
        except requests.exceptions.ContentDecodingError:
            what = "the answer could not be unpacked"
        except requests.exceptions.ChunkedEncodingError:
            what = "the connection broke in the middle of the answer"
        except requests.ConnectionError:
            what = "no connection, or it broke"
        except requests.RequestException as error:
            what = f"the request could not be sent ({type(error).__name__})"
            raise WrongAnswer(what) from None
        raise PassingFault(what) from None

    return send


def bounded(chunks: Iterable[bytes], deadline: float) -> bytes:
    """Join the chunks of an answer, up to `MAX_BYTES` and before a deadline of the monotonic clock.

    Raises
    ------
    WrongAnswer
        If the answer is longer.
    PassingFault
        If it takes longer.
    """
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MAX_BYTES:
            msg = f"the answer has more than {MAX_BYTES >> 20} MiB"
            raise WrongAnswer(msg)
        if time.monotonic() > deadline:
            msg = "the answer came too slowly"
            raise PassingFault(msg)
    return bytes(body)


def retry_after(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, which may be a number or a date; None if unreadable."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
