"""Every kernel against its plain function, on every kind of input it takes."""

import types
from typing import Any

import numpy as np
import pytest

import kernels
from kernels import references
from kernels.registry import KERNELS, Entry, inputs
from tests.kernels.results import CASE_NAMES, CASES, assert_close

FORMS = {"many_windows"}  # applies any kernel to many windows; has its own tests

LENGTHS = (0, 1, 2, 3, 19, 20, 21, 60, 61, 187)


def test_every_public_kernel_has_an_entry_and_a_reference() -> None:
    public = {name for name in kernels.__all__ if isinstance(getattr(kernels, name), types.FunctionType)}
    registered = {entry.name for entry in KERNELS}
    assert public - FORMS == registered
    assert registered == set(references.__all__)


def test_entries_tell_the_truth_about_arguments() -> None:
    for entry in KERNELS:
        names = entry.function.__kwdefaults__ or {}
        assert entry.threads == ("threads" in names), entry.name
        assert entry.min_periods == ("min_periods" in names), entry.name


@pytest.mark.parametrize("variant", ["plain", "rounded", "missing"])
@pytest.mark.parametrize(("entry", "parameters"), CASES, ids=CASE_NAMES)
def test_agrees_with_the_reference(entry: Entry, parameters: dict[str, Any], variant: Any) -> None:
    lengths = LENGTHS if parameters is entry.parameters[0] else (2, 61, 187)
    for length in lengths:
        given = inputs(entry.inputs, length, variant=variant)
        expected = entry.reference(*given, **parameters)
        assert_close(entry.function(*given, **parameters), expected, entry.tolerance, 1.0, f"{length} rows")


@pytest.mark.parametrize("entry", [e for e in KERNELS if e.min_periods], ids=lambda e: e.name)
def test_leaves_missing_values_out_down_to_min_periods(entry: Entry) -> None:
    given = inputs(entry.inputs, 187, variant="missing")
    for parameters in entry.parameters[:2]:
        for least in {1, 2, max(parameters["window"] // 3, 1), parameters["window"]}:
            if least <= parameters["window"]:
                expected = entry.reference(*given, **parameters, min_periods=least)
                actual = entry.function(*given, **parameters, min_periods=least)
                assert_close(actual, expected, entry.tolerance, 1.0, f"min_periods={least}, {parameters}")


@pytest.mark.parametrize("entry", [e for e in KERNELS if e.min_periods], ids=lambda e: e.name)
def test_a_window_as_long_as_the_series_and_longer(entry: Entry) -> None:
    given = inputs(entry.inputs, 50)
    for window in (50, 51, 400):
        parameters = {**entry.parameters[0], "window": window}
        expected = entry.reference(*given, **parameters)
        assert_close(entry.function(*given, **parameters), expected, entry.tolerance, 1.0, f"window {window}")


def test_ddof_is_passed_through() -> None:
    (values,) = inputs("series", 120)
    for ddof in (0, 1, 2, 20):
        for name in ("rolling_var", "rolling_std"):
            expected = getattr(references, name)(values, 20, ddof=ddof)
            np.testing.assert_allclose(getattr(kernels, name)(values, 20, ddof=ddof), expected, rtol=1e-12)
