"""How the engine compiles its own numba functions: strategy rules and sweep loops call one another across files."""

from engine.version import computing_engine
from kernels.compile import compile_with

__all__ = ["jit"]

jit = compile_with(sources=computing_engine())
"""Compile a function of the engine; a change in any file that computes makes a new cache."""
