"""What every kernel accepts, what it does with odd values, and what it says when asked for nonsense."""

import inspect
from typing import Any

import numpy as np
import pytest

import kernels
from kernels.registry import KERNELS, Entry, inputs
from tests.kernels.results import ENTRY_NAMES, arrays, assert_close, assert_same_bits

NUMERIC = [entry for entry in KERNELS if entry.inputs in {"series", "prices", "pair", "returns"}]
FLAGS = [entry for entry in KERNELS if entry.inputs in {"flags", "two flags"}]
FORGETFUL = [entry for entry in KERNELS if entry.forgets]


def name_of(entry: Entry) -> str:
    return entry.name


def strided(array: np.ndarray) -> np.ndarray:
    wide = np.zeros((array.size, 3), dtype=array.dtype)
    wide[:, 1] = array
    return wide[:, 1]


def read_only(array: np.ndarray) -> np.ndarray:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


@pytest.mark.parametrize("change", [strided, read_only, lambda array: array[::-1].copy()[::-1]])
@pytest.mark.parametrize("entry", KERNELS, ids=ENTRY_NAMES)
def test_takes_any_layout(entry: Entry, change: Any) -> None:
    given = inputs(entry.inputs, 90)
    expected = entry.function(*given, **entry.parameters[0])
    assert_same_bits(entry.function(*map(change, given), **entry.parameters[0]), expected)


@pytest.mark.parametrize("entry", NUMERIC, ids=name_of)
def test_takes_other_numbers_as_their_float64(entry: Entry) -> None:
    given = inputs(entry.inputs, 90)
    for kind in (np.float32, np.int32, np.int64, np.uint8, np.bool_):
        other = [np.abs(array * 10).astype(kind) for array in given]
        expected = entry.function(*(array.astype(np.float64) for array in other), **entry.parameters[0])
        assert_same_bits(entry.function(*other, **entry.parameters[0]), expected, str(kind))


@pytest.mark.parametrize("entry", KERNELS, ids=ENTRY_NAMES)
def test_leaves_its_input_alone(entry: Entry) -> None:
    given = inputs(entry.inputs, 90, variant="missing")
    before = [array.copy() for array in given]
    entry.function(*given, **entry.parameters[0])
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("entry", KERNELS, ids=ENTRY_NAMES)
def test_nothing_in_nothing_out(entry: Entry) -> None:
    for part in arrays(entry.function(*inputs(entry.inputs, 0), **entry.parameters[0])):
        assert part.size == 0


@pytest.mark.parametrize("entry", NUMERIC, ids=name_of)
def test_all_missing_stays_missing(entry: Entry) -> None:
    given = [np.full(90, np.nan) for _ in inputs(entry.inputs, 1)]
    for part in arrays(entry.function(*given, **entry.parameters[0])):
        assert np.isnan(part).all()


@pytest.mark.parametrize("entry", NUMERIC, ids=name_of)
def test_a_constant(entry: Entry) -> None:
    given = [np.full(90, 0.1) for _ in inputs(entry.inputs, 1)]
    expected = entry.reference(*given, **entry.parameters[0])
    assert_close(entry.function(*given, **entry.parameters[0]), expected, 1e-13, 1.0, "constant")


def test_a_constant_window_has_no_deviation_at_all() -> None:
    values = np.repeat([0.1, 1e9 / 3, -7.7], 100)
    deviation = kernels.rolling_std(values, 20)
    np.testing.assert_array_equal(deviation[19:100], 0.0)
    np.testing.assert_array_equal(deviation[119:200], 0.0)
    np.testing.assert_array_equal(deviation[219:], 0.0)


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan, 1e12])
@pytest.mark.parametrize("entry", FORGETFUL, ids=name_of)
def test_what_has_left_the_window_leaves_no_trace(entry: Entry, odd: float) -> None:
    """Rows whose windows do not hold the odd value are as close to the truth as if it had never been."""
    for parameters in entry.parameters:
        window = max(parameters["windows"]) if "windows" in parameters else parameters["window"]
        window = 2 * window if entry.name == "rolling_winsorized_zscore" else window
        for place in (60, 61, 80):
            given = [array.copy() for array in inputs(entry.inputs, 260)]
            expected = arrays(entry.reference(*given, **parameters))
            given[0][place] = odd
            actual = arrays(entry.function(*given, **parameters))
            rows = np.r_[0:place, place + window : 260]
            assert_close(
                tuple(part[..., rows] for part in actual), tuple(part[..., rows] for part in expected),
                entry.tolerance, 1.0, f"{odd} at {place}, {parameters}",
            )  # fmt: skip


@pytest.mark.parametrize("odd", [np.inf, -np.inf])
def test_what_an_infinite_value_does_in_its_window(odd: float) -> None:
    values = np.arange(100.0)
    values[60] = odd
    held = slice(60, 80)
    for name in ("rolling_sum", "rolling_mean"):
        np.testing.assert_array_equal(getattr(kernels, name)(values, 20)[held], odd)
    for name in ("rolling_var", "rolling_std", "rolling_zscore"):
        assert np.isnan(getattr(kernels, name)(values, 20)[held]).all()
    assert np.isnan(kernels.rolling_cov(values, np.arange(100.0) ** 2, 20)[held]).all()
    extreme = kernels.rolling_max if odd > 0 else kernels.rolling_min
    np.testing.assert_array_equal(extreme(values, 20)[held], odd)


@pytest.mark.parametrize(
    "entry", [e for e in KERNELS if "out" in inspect.signature(e.function).parameters], ids=name_of
)
def test_out(entry: Entry) -> None:
    given, parameters = inputs(entry.inputs, 90), entry.parameters[0]
    expected = entry.function(*given, **parameters)
    place = np.empty_like(expected)
    assert entry.function(*given, **parameters, out=place) is place
    assert_same_bits(place, expected)
    for wrong in (np.empty(89), np.empty(90, np.float32), read_only(np.empty_like(expected))):
        with pytest.raises(ValueError, match="out must"):
            entry.function(*given, **parameters, out=wrong)
    if entry.columns:
        with pytest.raises(ValueError, match="overlap"):
            entry.function(*given, **parameters, out=given[0])


@pytest.mark.parametrize("entry", NUMERIC, ids=name_of)
def test_refuses_what_is_not_a_number_or_not_a_series(entry: Entry) -> None:
    others = inputs(entry.inputs, 3)[1:]
    with pytest.raises(TypeError, match="must be numbers"):
        entry.function(np.array(["a", "b", "c"]), *others, **entry.parameters[0])
    with pytest.raises(ValueError, match="dimension"):
        entry.function(np.zeros((2, 2, 2)), *others, **entry.parameters[0])
    with pytest.raises(ValueError, match="dimension"):
        entry.function(np.float64(1.0), *others, **entry.parameters[0])


@pytest.mark.parametrize("entry", FLAGS, ids=name_of)
def test_refuses_numbers_for_flags(entry: Entry) -> None:
    with pytest.raises(TypeError, match="must be booleans"):
        entry.function(*(flags.astype(np.int64) for flags in inputs(entry.inputs, 5)), **entry.parameters[0])


@pytest.mark.parametrize("entry", [e for e in KERNELS if e.min_periods], ids=name_of)
@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"window": 0}, "window must"), ({"window": 2.5}, "window must"), ({"min_periods": 0}, "min_periods must"),
     ({"min_periods": 21}, "min_periods must")],
)  # fmt: skip
def test_refuses_windows_that_are_none(entry: Entry, wrong: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        entry.function(*inputs(entry.inputs, 30), **{**entry.parameters[0], **wrong})


def test_refuses_other_nonsense() -> None:
    values, flags = np.arange(5.0), np.ones(5, np.bool_)
    with pytest.raises(ValueError, match="span must"):
        kernels.ema(values, 0.5)
    with pytest.raises(ValueError, match="periods must"):
        kernels.change(values, 0)
    with pytest.raises(ValueError, match="horizon must"):
        kernels.lookahead_compounded_return(values, 0)
    for wrong in (-1, 0.5):
        with pytest.raises(ValueError, match="ddof must"):
            kernels.rolling_std(values, 3, ddof=wrong)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="ddof must"):
            kernels.rolling_cov(values, values, 3, ddof=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="quantile must"):
        kernels.rolling_quantile(values, 3, 1.5)
    with pytest.raises(ValueError, match="lower below upper"):
        kernels.rolling_winsorized_zscore(values, 3, lower=0.9, upper=0.1)
    with pytest.raises(ValueError, match="one shape"):
        kernels.rolling_corr(values, values[:3], 2)
    with pytest.raises(ValueError, match="one length"):
        kernels.hysteresis(flags, flags[:2])
    with pytest.raises(ValueError, match="min_dwell must"):
        kernels.hysteresis(flags, flags, min_dwell=0)
    with pytest.raises(ValueError, match="one length"):
        kernels.ema_sampled(values, flags[:2], 3)
    with pytest.raises(ValueError, match="one series"):
        kernels.rolling_mean_many(np.ones((3, 3)), [2])
    with pytest.raises(TypeError, match="booleans or integers"):
        kernels.regimes(values)
    with pytest.raises(ValueError, match="one dimension"):
        kernels.regimes(np.ones((2, 2), np.int64))
