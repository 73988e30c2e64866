"""Sweeps of the engine against the same sweeps as they are usually written."""
