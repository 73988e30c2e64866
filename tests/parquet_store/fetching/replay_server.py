"""A server on loopback that answers as FRED, Yahoo and Cboe do, from a made-up market, with every fault on demand."""

import json
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.parquet_store.fetching.made_up_market import LAST, Bar, Market

KEY = "a-secret-key-0123456789"

PASSING = ("429", "500", "hang", "drop")
"""Faults that pass when one asks again."""

REFUSED = ("404", "truncated", "html", "empty", "new_header", "headers_only", "backwards")
"""Faults by which an answer is no answer."""

BENT = ("three_years", "revised", "garbage", "duplicate", "contradiction", "old_header", "dots", "nan_last")
"""Peculiarities of an answer that is one: some of its rows are wrong, missing or new."""

MODES = (*PASSING, *REFUSED, *BENT)

HANG_SECONDS = 2.0


@dataclass
class Fault:
    """The next `times` answers whose address holds `match` go wrong in a mode."""

    mode: str
    match: str = ""
    times: int = 1


@dataclass
class Replay:
    """The server's state; tests change it between requests."""

    market: Market
    base: str = ""
    until: date = LAST
    faults: list[Fault] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    vintages_a_question: int = 2000
    rows_a_page: int = 100_000

    def requests(self, match: str = "") -> list[str]:
        """Return the addresses asked so far that hold a text."""
        return [path for path in self.log if match in path]


@contextmanager
def replaying(market: Market) -> Iterator[Replay]:
    """Serve while the block runs."""
    state = Replay(market)
    handler = type("Handler", (_Handler,), {"state": state, "lock": threading.Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Answered = tuple[int, str]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for the client's word that the header has come
    state: Replay
    lock: threading.Lock

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:  # noqa: PLR0911 - a fault a line
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        target = urllib.parse.unquote(self.path)
        with self.lock:
            self.state.log.append(target)
            mode = _take(self.state.faults, target)
        if mode == "429":
            return self._send(429, "Too Many Requests", {"Retry-After": "1"})
        if mode in ("500", "404"):
            return self._send(int(mode), "error")
        if mode == "hang":
            time.sleep(HANG_SECONDS)
            self.close_connection = True
            return None
        if mode == "html":
            return self._send(200, "<html><body>Please complete the captcha</body></html>")
        if mode == "empty":
            return self._send(200, "")
        status, body = self._answer(urllib.parse.unquote(parts.path), query, mode)
        if mode == "truncated":
            return self._send(200, body[: len(body) // 2])
        if mode == "drop":
            return self._drop(body)
        return self._send(status, body)

    def _send(self, status: int, body: str, headers: Mapping[str, str] = {}) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _drop(self, body: str) -> None:
        data = body.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        self.close_connection = True

    def _answer(self, path: str, query: Mapping[str, str], mode: str | None) -> Answered:  # noqa: PLR0911
        state = self.state
        if path == "/graph/fredgraph.csv":
            return _graph(state, query, mode)
        if path.startswith("/fred/series/") and query.get("api_key") != KEY:
            return 400, json.dumps({"error_code": 400, "error_message": "Bad Request. The api_key is not registered."})
        if path == "/fred/series/vintagedates":
            return _vintage_dates(state, query)
        if path == "/fred/series/observations":
            return _vintages(state, query) if "realtime_start" in query else _observations(state, query, mode)
        if path.startswith("/v8/finance/chart/"):
            return _chart(state, path.rsplit("/", 1)[1], query, mode)
        if path.endswith("_History.csv"):
            return _history(state, path.rsplit("/", 1)[1].removesuffix("_History.csv"), mode)
        return (200, "crumb") if path == "/v1/test/getcrumb" else (404, "not found")


def _take(faults: Sequence[Fault], target: str) -> str | None:
    for fault in faults:
        if fault.times > 0 and fault.match in target:
            fault.times -= 1
            return fault.mode
    return None


def _bent(rows: list[Any], mode: str | None) -> list[Any]:
    """Return rows, each of which begins with its day, as a fault shows them."""
    if mode == "three_years" and rows:
        begin = rows[-1][0] - timedelta(days=3 * 365 + 1)
        return [row for row in rows if row[0] >= begin]
    if mode == "revised":
        return rows[:-5] + [(day, *(round(value * 1.01, 4) for value in values)) for day, *values in rows[-5:]]
    if mode == "duplicate":
        return rows + rows[-1:]
    if mode == "contradiction":
        return rows + [(day, *(value * 1.5 for value in values)) for day, *values in rows[-1:]]
    if mode == "backwards":
        return rows[::-1]
    return [] if mode == "headers_only" else rows


def _observed(state: Replay, query: Mapping[str, str], names: tuple[str, str, str]) -> list[Any] | None:
    series, first, last = names
    if query.get(series, "") not in state.market.values:
        return None
    lo = date.fromisoformat(query.get(first, "1776-07-04"))
    hi = min(state.until, date.fromisoformat(query.get(last, "9999-12-31")))
    return [row for row in state.market.values[query[series]] if lo <= row[0] <= hi]


def _graph(state: Replay, query: Mapping[str, str], mode: str | None) -> Answered:
    rows = _observed(state, query, ("id", "cosd", "coed"))
    if rows is None:
        return 404, "<html>404</html>"
    header = {"old_header": "DATE", "new_header": "period"}.get(mode or "", "observation_date")
    lines = [f"{header},{query['id']}"]
    for number, (day, value) in enumerate(bent := _bent(rows, mode)):
        cell = "n/a?" if mode == "garbage" and number == len(bent) - 2 else value
        lines.append(f"{day},{cell}")
    if rows and mode == "dots":
        lines.append(f"{rows[-1][0] + timedelta(days=1)},.")
    if rows and mode == "nan_last":
        lines.append(f"{rows[-1][0] + timedelta(days=1)},")
    return 200, "\n".join(lines) + "\n"


def _observations(state: Replay, query: Mapping[str, str], mode: str | None) -> Answered:
    rows = _observed(state, query, ("series_id", "observation_start", "observation_end"))
    if rows is None:
        return 400, json.dumps({"error_code": 400, "error_message": "Bad Request. The series does not exist."})
    bent = [(day, str(value)) for day, value in _bent(rows, mode)]
    if mode == "garbage" and len(bent) > 1:
        bent[-2] = (bent[-2][0], "n/a?")
    if mode in ("dots", "nan_last") and rows:
        bent.append((rows[-1][0] + timedelta(days=1), "."))
    name = "observationes" if mode == "new_header" else "observations"
    body = {"count": len(bent), name: [{"date": day.isoformat(), "value": value} for day, value in bent]}
    return 200, json.dumps(body)


def _vintage_dates(state: Replay, query: Mapping[str, str]) -> Answered:
    days = sorted({out.isoformat() for _, _, out in state.market.shown.get(query["series_id"], [])})
    offset, limit = int(query.get("offset", 0)), int(query.get("limit", 10_000))
    return 200, json.dumps({"count": len(days), "vintage_dates": days[offset : offset + limit]})


def _vintages(state: Replay, query: Mapping[str, str]) -> Answered:
    """Return each value with the days on which it was shown, cut to the days asked for, as FRED does."""
    first, last = query["realtime_start"], query["realtime_end"]
    shown = state.market.shown.get(query["series_id"], [])
    if len({out for _, _, out in shown if first <= out.isoformat() <= last}) > state.vintages_a_question:
        return 400, json.dumps({"error_message": "Bad Request. The number of vintage dates exceeds the maximum."})
    rows = []
    for day, value, out in shown:
        later = min((other.isoformat() for d, _, other in shown if d == day and other > out), default="9999-12-31")
        if out.isoformat() <= last and later > first:
            start = max(out.isoformat(), first)
            rows.append({"realtime_start": start, "date": day.isoformat(), "value": str(value)})
    offset = int(query.get("offset", 0))
    limit = min(state.rows_a_page, int(query.get("limit", 100_000)))
    return 200, json.dumps({"count": len(rows), "observations": rows[offset : offset + limit]})


def _stamp(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 14, 30, tzinfo=UTC).timestamp())


def rebased(state: Replay, symbol: str) -> tuple[list[Bar], list[tuple[date, float]]]:
    """Return bars and dividends until now on the base of all splits until now, as Yahoo shows them."""
    splits = [(day, ratio) for day, ratio in state.market.splits.get(symbol, []) if day <= state.until]

    def factor(day: date) -> float:
        product = 1.0
        for split, ratio in splits:
            product *= ratio if day < split else 1.0
        return product

    bars = [
        (day, *(price / factor(day) for price in prices), volume * factor(day))
        for day, *prices, volume in state.market.bars[symbol]
        if day <= state.until
    ]
    paid = [(day, cash / factor(day)) for day, cash in state.market.dividends.get(symbol, []) if day <= state.until]
    return bars, paid


def _chart(state: Replay, symbol: str, query: Mapping[str, str], mode: str | None) -> Answered:
    if symbol not in state.market.bars:
        error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
        return 404, json.dumps({"chart": {"result": None, "error": error}})
    lo, hi = int(query["period1"]), int(query["period2"])
    bars, paid = rebased(state, symbol)
    asked = [bar for bar in bars if lo <= _stamp(bar[0]) < hi]
    if not asked:
        error = {"code": "Bad Request", "description": f"Data doesn't exist for startDate = {lo}, endDate = {hi}"}
        return 400, json.dumps({"chart": {"result": None, "error": error}})
    rows = _bent(asked, mode)
    names = ("open", "high", "low", "close", "volume")
    quote: dict[str, list[Any]] = {name: [row[i + 1] for row in rows] for i, name in enumerate(names)}
    if mode == "garbage":
        quote["close"][-2] = "n/a?"
    if mode == "nan_last":
        rows = [*rows, (rows[-1][0] + timedelta(days=1),)]
        quote = {name: [*values, None] for name, values in quote.items()}
    meta = {"symbol": symbol, "dataGranularity": "1d", "exchangeTimezoneName": "America/New_York"}
    result: dict[str, Any] = {"meta": meta, "indicators": {"quote": [quote]}}
    if rows:
        result["timestamp"] = [_stamp(row[0]) for row in rows]
        result["events"] = _events(state, symbol, rows[0][0], paid)
    if mode == "new_header":
        result["indicators"] = {"quotes": [quote]}
    return 200, json.dumps({"chart": {"result": [result], "error": None}})


def _events(state: Replay, symbol: str, first: date, paid: Sequence[tuple[date, float]]) -> dict[str, Any]:
    splits = [(day, ratio) for day, ratio in state.market.splits.get(symbol, []) if first <= day <= state.until]
    return {
        "dividends": {str(_stamp(d)): {"amount": cash, "date": _stamp(d)} for d, cash in paid if d >= first},
        "splits": {str(_stamp(d)): {"date": _stamp(d), "numerator": r, "denominator": 1.0} for d, r in splits},
    }


def _history(state: Replay, symbol: str, mode: str | None) -> Answered:
    rows = _bent([bar[:5] for bar in state.market.bars[symbol] if bar[0] <= state.until], mode)
    lines = ["DAY,OPEN,HIGH,LOW,CLOSE" if mode == "new_header" else "DATE,OPEN,HIGH,LOW,CLOSE"]
    for number, (day, *prices) in enumerate(rows):
        cells = [f"{price:.6f}" for price in prices]
        if mode == "garbage" and number == len(rows) - 2:
            cells[-1] = "n/a?"
        lines.append(f"{day:%m/%d/%Y}," + ",".join(cells))
    if mode in ("dots", "nan_last"):
        lines.append(f"{rows[-1][0] + timedelta(days=1):%m/%d/%Y},,,,")
    return 200, "\n".join(lines) + "\n"
