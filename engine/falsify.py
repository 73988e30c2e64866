"""Put every rule and every strategy to the third document's own test, and say whether its claim still stands.

Source: credit spreads monitor, backtest notes. A *strategy* claims that it earns more than the market it trades in; one
whose weights add up to nothing, like the sector pair, that it earns more than cash. A *rule* claims a sign of the
market's return over cash: its position is long or short the market from the close after it fires to its longest
horizon. All are run with their documented parameters by the sweep's own accounting: decided at close t, filled at close
t+1, costs on traded notional. What is not invested earns the bill rate, and what is borrowed pays it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from time import perf_counter
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.cash import BILL_RATE, cash_returns
from engine.credit import RULES, rule_fires
from engine.inference import Falsification, falsify
from engine.inference.falsification import FEWEST_ENTRIES
from engine.metrics import SESSIONS_A_YEAR
from engine.panel import Panel, PanelError, Sample, how_to_get
from engine.parameters import choices
from engine.simulated import labelled
from engine.strategies import InsightRule, Strategy, find_strategy, strategy_names
from engine.studies.history import History, Market, load_market
from engine.studies.ledger import record
from engine.studies.study import Figure, Value
from engine.sweep import Costs, grid_of_one, plan_from_panel, posture_paths
from engine.sweep.accounting import account
from engine.sweep.plan import BUY_AND_HOLD
from engine.sweep.plan import Market as TradedMarket
from parquet_store import Store
from parquet_store.errors import EngineError

__all__ = ["Claim", "FalsifyError", "Tested", "Tests", "claims", "falsify_claims"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MONITOR = "credit_spreads_monitor"
MODEL = "model"
"""Parameter that chooses among the models of a strategy; each is a claim of its own."""

INDEX = "^GSPC"
"""The market's index, whose history is longer than that of its fund."""

HORIZON_WITHOUT_ONE = 60
"""Sessions for which a rule without a horizon of its own is followed: the longest that the document looks at."""


class FalsifyError(EngineError):
    """There is no claim of that name."""


@dataclass(frozen=True)
class Claim:
    """Something that is said to earn more than something else.

    Attributes
    ----------
    name, title
        Of the rule, of the strategy, or of its model.
    kind
        What it is.
    strategy
        The strategy that it is run by; of a rule, the one it belongs to.
    values
        Parameters that differ from their defaults.
    market
        The series that a strategy is compared with unless it is neutral, and that a rule speaks of.
    rule
        The rule.
    """

    name: str
    title: str
    kind: Literal["rule", "strategy"]
    strategy: Strategy
    market: str
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    rule: InsightRule | None = None


@dataclass(frozen=True)
class Tested:
    """A claim and its test.

    Attributes
    ----------
    claim
        What was tested.
    over
        What it was to earn more than: ``"cash"`` or a series.
    first, last
        Sessions from the first position on; None where it could not be run.
    window_entries
        Positions taken in the last window.
    falsification
        The test; None where it could not be run.
    verdict, reason
        In words; a rule that claims no sign has the verdict "no sign claimed".
    """

    claim: Claim
    over: str
    first: date | None
    last: date | None
    window_entries: int
    falsification: Falsification | None
    verdict: str
    reason: str


@dataclass(frozen=True)
class Tests:
    """All claims that were tested, on which data, and what must stand beside them."""

    tested: tuple[Tested, ...]
    panel: Panel
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Evidence:
    """Daily returns net of costs from the first position on; see `engine.inference.falsify`."""

    dates: NDArray[np.datetime64]
    excess: Floats
    net: Floats
    entries: Flags
    over: str


def claims() -> tuple[Claim, ...]:
    """Return the monitor's rules, on the market's fund and on its index, and every strategy with each of its models."""
    rules = [
        Claim(rule.name, rule.title, "rule", find_strategy(MONITOR), market, rule=rule)
        for market in (BUY_AND_HOLD, INDEX)
        for rule in RULES
    ]
    return (*rules, *_strategies())


def _strategies() -> Iterator[Claim]:
    for name in strategy_names():
        strategy = find_strategy(name)
        market = strategy.legs[0] if len(strategy.legs) == 1 else BUY_AND_HOLD
        models = choices(strategy.parameters, MODEL) if MODEL in strategy.parameters.model_fields else ()
        for model in models or (None,):
            values = {MODEL: model} if model else {}
            label = f"{name} {model}" if model else name
            yield Claim(label, strategy.title, "strategy", strategy, market, MappingProxyType(values))


def falsify_claims(
    store: Store,
    names: Sequence[str] = (),
    *,
    costs: Costs | None = None,
    years: int = 5,
    as_of: datetime | None = None,
) -> Tests:
    """Test claims on all that the store holds.

    Parameters
    ----------
    names
        Of claims, or of strategies with several models; empty: all.
    costs
        Of trading; None: one basis point of commission and one of slippage.
    years
        Length of the rolling window, of 252 sessions each.
    as_of
        Use only what had been stored by this moment.

    Raises
    ------
    FalsifyError
        A name is unknown; the message lists those there are.
    PanelError
        The store holds none of the series.
    """
    chosen = _chosen(names)
    series = [name for claim in chosen for name in (*claim.strategy.series, *claim.strategy.optional_inputs)]
    markets = [claim.market for claim in chosen]
    market = load_market(store, (), (), optional=[*series, *markets, BUY_AND_HOLD, BILL_RATE], as_of=as_of)
    rate = costs or Costs(commission_bps=1.0, slippage_bps=1.0)
    begun, started = datetime.now(UTC), perf_counter()
    tested = tuple(_test(market, claim, rate, years * SESSIONS_A_YEAR) for claim in chosen)
    if market.panel.simulated:
        tested = tuple(replace(each, reason=labelled(each.reason)) for each in tested)
    figures = [figure for each in tested for figure in _figures(each)]
    record(
        store,
        "falsify",
        market.history(Sample()),
        figures,
        [None] * len(figures),
        begun=begun,
        seconds=perf_counter() - started,
        parameters={"claims": list(names), "costs": rate.model_dump(), "years": years},
    )
    return Tests(tested, market.panel, tuple(_notes(market, rate, years)))


def _figures(tested: Tested) -> Iterator[Figure]:
    """What the ledger keeps of a test."""
    result = tested.falsification
    found: dict[str, Value | None] = {"verdict": tested.verdict}
    if result is not None:
        found |= {"since": result.since, "mean_excess": result.mean_excess, "sharpe": result.sharpe}
    for name, value in found.items():
        yield Figure(
            f"falsify.{tested.claim.name}.{tested.claim.market}.{name}",
            tradable=value,
            n=result.sessions if result else None,
            episodes=result.entries if result else None,
            reason=tested.reason,
        )


def _chosen(names: Sequence[str]) -> tuple[Claim, ...]:
    known = claims()
    for name in names:
        if not any(name in {claim.name, claim.strategy.name} for claim in known):
            listed = dict.fromkeys(claim.name for claim in known)
            message = f"there is no rule or strategy called {name!r}: use one of {', '.join(listed)}"
            raise FalsifyError(message)
    return tuple(
        claim
        for claim in known
        if not names or claim.name in names or (claim.kind == "strategy" and claim.strategy.name in names)
    )


def _notes(market: Market, costs: Costs, years: int) -> Iterator[str]:
    if BILL_RATE not in market.panel.columns:
        yield f"{BILL_RATE} is not in the store, so cash earns nothing: {how_to_get([BILL_RATE])}"
    yield (
        f"excess returns are a year and net of {costs.commission_bps:g} + {costs.slippage_bps:g} basis points on "
        f"traded notional, Sharpe ratios over cash, windows {years} years long; a claim is broken while the window's "
        "mean excess is below 0 and its Sharpe ratio not above 0"
    )


def _test(market: Market, claim: Claim, costs: Costs, window: int) -> Tested:
    over = "cash" if claim.rule else claim.market
    try:
        evidence = _rule_evidence(market, claim, claim.rule, costs) if claim.rule else _evidence(market, claim, costs)
    except EngineError as error:
        return Tested(claim, over, None, None, 0, None, "not enough data", str(error))
    result = falsify(evidence.excess, evidence.net, evidence.entries, evidence.dates, window=window)
    days = evidence.dates.tolist()
    neutral = claim.rule is not None and claim.rule.expected == "neutral"
    return Tested(
        claim=claim,
        over=evidence.over,
        first=days[0] if days else None,
        last=days[-1] if days else None,
        window_entries=int(evidence.entries[-window:].sum()),
        falsification=result,
        verdict="no sign claimed" if neutral else result.verdict,
        reason=_reason(result, evidence, window, neutral=neutral),
    )


def _reason(result: Falsification, evidence: _Evidence, window: int, *, neutral: bool) -> str:
    if neutral:
        return "a claim of no direction has no sign that could flip; the figures are those of holding the market"
    if result.verdict == "not enough data":
        if result.sessions < window:
            return f"{result.sessions:,} sessions since the first position, fewer than the window's {window:,}"
        if result.entries < FEWEST_ENTRIES:
            return f"{result.entries} positions were taken, fewer than {FEWEST_ENTRIES}"
        return "no position was held in the last window"
    mean, ratio = result.rolling_mean_excess[-1], result.rolling_sharpe[-1]
    state = f"the last window's mean excess over {evidence.over} is {mean:+.1%} a year and its Sharpe ratio {ratio:.2f}"
    return f"{state}, since {result.since}" if result.verdict == "broken" else state


def _from_first(market: Market, series: Sequence[str]) -> History:
    """Sessions on which all of some traded series have a price; indicators may look further back.

    Raises
    ------
    PanelError
        One is not in the store, or has a gap.
    """
    missing = market.missing(series)
    if missing:
        message = f"{', '.join(missing)} not in the store: {how_to_get(missing)}"
        raise PanelError(message)
    panel = market.panel
    complete: Flags = np.logical_and.reduce([~np.isnan(panel.values(name)) for name in series])
    rows = np.flatnonzero(complete)
    if not len(rows) or not complete[rows[0] : rows[-1] + 1].all():
        message = f"{', '.join(series)} have no common history without gaps: see `engine data status`"
        raise PanelError(message)
    first, last = panel.dates[rows[[0, -1]]].tolist()
    return market.history(Sample(first, last, "before"))


def _cash(history: History) -> Floats:
    """Return of cash into each session; 0 where no rate is known."""
    if not history.holds(BILL_RATE):
        return np.zeros(len(history.dates))
    return np.nan_to_num(cash_returns(history.dates, history.closes(BILL_RATE)))


def _evidence(market: Market, claim: Claim, costs: Costs) -> _Evidence:
    """Run a strategy with its documented parameters, against its market or, if it is neutral, against cash."""
    strategy = claim.strategy
    missing = market.missing(strategy.series)
    if missing:
        message = f"{', '.join(missing)} not in the store: {how_to_get(missing)}"
        raise PanelError(message)
    history = _from_first(market, tuple(dict.fromkeys((*strategy.legs, claim.market))))
    plan = plan_from_panel(history.panel, grid_of_one(strategy, claim.values, sample=history.sample, costs=costs))
    only = np.zeros(1, np.int64)
    path, rows = posture_paths(plan, only), plan.rows(only)
    returns, _ = account(plan.market, path, rows.weights, rows.daily)
    invested = plan.market.weights[rows.weights[0]].sum(axis=1)
    over_cash = _over_cash(returns[:, 0], invested[path[0]], _cash(history))
    if np.allclose(invested, 0.0):
        return _since_first_position(history, over_cash, over_cash, path[0], "cash")
    held = np.nan_to_num(history.returns(claim.market)) - _cash(history)
    return _since_first_position(history, over_cash - held, over_cash, path[0], claim.market)


def _rule_evidence(market: Market, claim: Claim, rule: InsightRule, costs: Costs) -> _Evidence:
    """Hold the market from the close after the rule fires to the end of its longest horizon, by the claimed sign."""
    history = _from_first(market, (claim.market,))
    panel = history.panel_with(**{BUY_AND_HOLD: claim.market})
    values = claim.strategy.parameters().model_dump()
    fires = rule_fires(panel, rule, values)[panel.start :]
    horizon = rule.horizons[1] if rule.horizons else HORIZON_WITHOUT_ONE
    path = _held_after(fires, horizon).astype(np.int8)
    sign = -1.0 if rule.expected == "negative" else 1.0
    invested: Floats = sign * path.astype(np.float64)
    traded = TradedMarket(
        dates=history.dates,
        legs=(claim.market,),
        prices=np.ascontiguousarray(history.closes(claim.market)[:, None]),
        weights=np.array([[[0.0], [sign]]]),
        cost_rate=costs.rate,
    )
    returns, _ = account(traded, path[None, :], np.zeros(1, np.int64), np.ones(1, np.bool_))
    over_cash = _over_cash(returns[:, 0], invested, _cash(history))
    return _since_first_position(history, over_cash, over_cash, path, "cash")


def _held_after(fires: Flags, horizon: int) -> Flags:
    """Tell after which closes a position is held: those of ``horizon`` sessions from the one after each firing on."""
    fired = np.zeros(horizon + 1 + len(fires), np.int64)  # up to each close, and before the first
    fired[horizon + 1 :] = np.cumsum(fires)
    held: Flags = fired[horizon:-1] > fired[: len(fires)]
    return held


def _over_cash(returns: Floats, invested: Floats, cash: Floats) -> Floats:
    """Return over cash: what is invested is financed at the bill rate, and the rest earns it."""
    return returns - np.concatenate(([0.0], invested[:-1])) * cash


def _since_first_position(
    history: History, excess: Floats, net: Floats, path: NDArray[np.int8], over: str
) -> _Evidence:
    held = np.flatnonzero(path)
    begin = int(held[0]) if len(held) else len(path)
    taken = (path != 0) & (np.diff(path, prepend=0) != 0)
    return _Evidence(history.dates[begin:], excess[begin:], net[begin:], taken[begin:], over)
