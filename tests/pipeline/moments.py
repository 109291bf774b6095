"""The moment at which the pipeline's tests play."""

NOW = 1_764_000_000.0
"""Unix time in seconds: a Monday afternoon in November 2025."""
