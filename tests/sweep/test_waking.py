"""What wakes a rule is found exactly; rules too intricate for that are asked at each close, with the same results."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from polars.testing import assert_frame_equal

from engine.compiled import jit
from engine.sweep import load_grid, make_plan
from engine.sweep.fused_backend import EVENT_DRIVEN, ONE_PASS, evaluate_combinations, make_evaluator
from engine.sweep.plan import Plan
from engine.sweep.waking import (
    STATES,
    TOO_LARGE,
    WATCHED,
    Planes,
    Watch,
    ask_about_every_code,
    condition_planes,
    draw_diagram,
    find_waking_closes,
    next_waking_close,
    place_of_state,
    start_watch,
)
from parquet_store import Store
from tests.conftest import ROOT


@jit
def decide_simply(_rule: Any, state: int, _held_return: float, code: int) -> int:
    """Take the posture on the first two conditions, or on the sixth without the third; leave it on the fourth."""
    if state == 0:
        return 1 if (code & 3) == 3 or (code & 36) == 32 else 0
    return 0 if code & 8 else 1


@jit
def decide_intricately(_rule: Any, state: int, _held_return: float, code: int) -> int:
    """Follow no pattern in the conditions, and count in the state how often it changed."""
    memory = state >> 4
    posture = ((code * (code + 7) * 40_503) >> 9) & 1
    changed = memory + (1 if posture != state & 1 else 0)
    return posture | (changed * 37 % 4_096) << 4


class SimpleRule(NamedTuple):
    nothing: float

    decide = decide_simply
    stops = MappingProxyType({})


class IntricateRule(NamedTuple):
    nothing: float

    decide = decide_intricately
    stops = MappingProxyType({})


def plan_with(store: Store, rule: Any) -> Plan:
    """The plan of a shipped grid of fourteen conditions, with another rule."""
    plan = make_plan(store, load_grid(ROOT / "configs" / "credit_spreads_monitor.toml"))
    knobs = replace(plan.knobs, rows=plan.knobs.rows[:, :1].copy())
    strategy = replace(plan.grid.strategy, rule=rule)
    return replace(plan, knobs=knobs, grid=replace(plan.grid, strategy=strategy))


@jit
def wakened(watch: Watch, rule: Any, state: int) -> int:
    place: int = place_of_state(watch, state)
    ask_about_every_code(rule, watch, place)
    draw_diagram(watch, place)
    return place


@jit
def waking_closes(
    planes: Planes, rows: NDArray[np.int64], watch: Watch, place: int, starts: NDArray[np.int64], sessions: int
) -> NDArray[np.int64]:
    find_waking_closes(planes, rows, watch, place)
    found = np.empty_like(starts)
    for number in range(len(starts)):
        found[number] = next_waking_close(watch, place, starts[number], sessions)
    return found


def test_waking_closes_are_those_at_which_the_answer_differs(simulated_store: Store) -> None:
    plan = plan_with(simulated_store, SimpleRule)
    planes = condition_planes(plan)
    watch = start_watch(*planes.met.shape[1:])
    sessions = plan.panel.sessions
    for state in (0, 1):
        place = wakened(watch, SimpleRule(0.0), state)
        for combination in (0, 1_000, 5_000):
            rows = plan.rows(np.array([combination])).codes[0]
            codes = np.bitwise_or.reduce(plan.codes[rows]).astype(np.int64)
            wakes = np.array([decide_simply(SimpleRule(0.0), state, 0.0, int(code)) != state for code in codes])
            starts = np.array([0, 63, 64, 1_000, sessions - 1, sessions])
            found = waking_closes(planes, rows, watch, place, starts, sessions)
            for start, close in zip(starts, found, strict=True):
                assert close == (start + np.argmax(wakes[start:]) if wakes[start:].any() else sessions)


def test_an_intricate_rule_gets_no_diagram(simulated_store: Store) -> None:
    planes = condition_planes(plan_with(simulated_store, IntricateRule))
    watch = start_watch(*planes.met.shape[1:])
    assert watch.root[wakened(watch, IntricateRule(0.0), 0)] == TOO_LARGE


def test_an_intricate_rule_of_many_states_gives_the_same_bits(simulated_store: Store) -> None:
    plan = plan_with(simulated_store, IntricateRule)
    states = {0}
    state = 0
    for code in np.bitwise_or.reduce(plan.codes[plan.rows(np.array([0])).codes[0]]):
        state = decide_intricately(IntricateRule(0.0), state, 0.0, int(code))
        states.add(state)
    assert len(states) > WATCHED
    assert max(states) > STATES
    evaluator = make_evaluator(plan)
    combinations = np.arange(0, plan.grid.size, 211)
    jumping = evaluate_combinations(evaluator, combinations, EVENT_DRIVEN)
    assert jumping["trades"].min() > 20
    assert_frame_equal(jumping, evaluate_combinations(evaluator, combinations, ONE_PASS), check_exact=True)
