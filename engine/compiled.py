"""How the engine compiles its own numba functions: strategy rules and sweep loops call one another across files."""

from engine.version import computing_engine
from kernels.compile import compile_with

__all__ = ["inlined_in_place", "inner", "inner_in_place", "jit", "jit_in_place"]

jit = compile_with(sources=computing_engine())
"""Compile a function of the engine; a change in any file that computes makes a new cache."""

jit_in_place = compile_with(sources=computing_engine(), allocates=False)
"""Compile one that makes no array: it fills those it is given, and is cheap to call from a loop of many threads."""

inner = compile_with(sources=computing_engine(), called_by="compiled code")
"""Compile one that only compiled code calls."""

inner_in_place = compile_with(sources=computing_engine(), called_by="compiled code", allocates=False)
"""Compile one that only compiled code calls, and that makes no array."""

inlined_in_place = compile_with(sources=computing_engine(), called_by="compiled code, inlined", allocates=False)
"""The same, made part of every function that calls it."""
