"""A wall of live sessions in a real browser: what scripting, rendering and painting cost, and the longest task."""
