"""Hostile clients beside honest ones on a whole platform: `python -m benchmarks.hostile`."""
