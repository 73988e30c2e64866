"""Kernels against other libraries. Where nothing else is said, everybody has one thread, Polars too."""

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # read once, when Polars is imported
