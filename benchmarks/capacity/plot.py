"""A plot of delays against sessions as SVG: median and 95th percentile of each system, and the bar."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import TypeAlias

Point: TypeAlias = tuple[int, float, float]
"""Sessions, median and 95th percentile (seconds)."""

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 200, 20, 50
COLOURS = ("#1f6f8b", "#c8553d", "#6a994e", "#8a5a9e")
TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def draw(lines: Mapping[str, Sequence[Point]], title: str, bar_s: float | None) -> str:
    """The SVG. Seconds are on a logarithmic scale; a system that was measured once is a pair of dots."""
    points = [point for line in lines.values() for point in line]
    seconds = [max(value, TICKS_S[0]) for _, *pair in points for value in pair] + ([bar_s] if bar_s else [])
    low = max(tick for tick in TICKS_S if tick <= min(seconds, default=1.0))
    high = min((tick for tick in TICKS_S if tick >= max(seconds, default=1.0) and tick > low), default=TICKS_S[-1])
    most = max((sessions for sessions, *_ in points), default=1)

    def x(sessions: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * sessions / most

    def y(value_s: float) -> float:
        share = math.log(max(value_s, low) / low) / math.log(high / low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    shapes = [f"<title>{escape(title)}</title>", f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for tick in TICKS_S:
        if low <= tick <= high:
            shapes.append(_line(x(0), y(tick), x(most), y(tick), "#dddddd"))
            shapes.append(_text(LEFT - 8, y(tick) + 4, f"{tick:g} s", "end"))
    counts = sorted({0, *(sessions for sessions, *_ in points)})
    shapes += [_text(x(count), HEIGHT - BOTTOM + 18, str(count), "middle") for count in counts]
    shapes.append(_text((x(0) + x(most)) / 2, HEIGHT - 10, title, "middle"))
    if bar_s is not None:
        shapes.append(_line(x(0), y(bar_s), x(most), y(bar_s), "#222222", "2 3"))
        shapes.append(_text(x(most) + 8, y(bar_s) + 4, f"bar {bar_s:g} s"))
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        ordered = sorted(line)
        for which, label, dashes in ((1, "p50", "6 4"), (2, "p95", "")):
            places = [(x(point[0]), y(point[which])) for point in ordered]
            path = " ".join(f"{at_x:.1f},{at_y:.1f}" for at_x, at_y in places)
            shapes.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-dasharray="{dashes}"/>')
            shapes += [f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="3" fill="{colour}"/>' for at_x, at_y in places]
            height = TOP + 20 * (2 * number + which)
            shapes.append(_line(WIDTH - RIGHT + 60, height - 4, WIDTH - RIGHT + 90, height - 4, colour, dashes))
            shapes.append(_text(WIDTH - RIGHT + 96, height, f"{name} {label}"))
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="11">\n{body}\n</svg>\n'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dashes: str = "") -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-dasharray="{dashes}"/>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
