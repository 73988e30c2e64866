"""The research: panel, indicators, strategies, sweeps, reports."""
