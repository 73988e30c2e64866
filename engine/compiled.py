"""How the engine compiles its own numba functions: strategy rules and sweep loops call one another across files."""

from pathlib import Path

from kernels.compile import compile_with

__all__ = ["jit"]

jit = compile_with(sources=(Path(__file__).parent,))
"""Compile a function of the engine; a change in any file of the engine or the kernels makes a new cache."""
