"""Benchmarks of the inference: against the libraries whose results it gives."""
