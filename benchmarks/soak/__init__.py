"""The whole platform for an hour: what grows."""
