"""How many people a system hears at once, in real time: `python -m benchmarks.capacity`."""
