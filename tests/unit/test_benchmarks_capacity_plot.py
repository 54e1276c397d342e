"""The plot of the capacity benchmark."""

import re
from xml.etree import ElementTree as ET

from benchmarks.capacity.plot import BOTTOM, HEIGHT, TOP, draw

SVG = "{http://www.w3.org/2000/svg}"


def read_lines(svg: str) -> list[list[tuple[float, float]]]:
    """The points of each line."""
    root = ET.fromstring(svg)
    found = [shape.attrib["points"] for shape in root.iter(f"{SVG}polyline")]
    return [[tuple(map(float, point.split(","))) for point in line.split()] for line in found]  # type: ignore[misc]


def test_a_line_for_each_figure_of_each_system() -> None:
    svg = draw({"one": [(8, 1.1, 2.0), (1, 1.0, 1.2)], "a < b": [(1, 5.0, 20.0)]}, "speakers", 2.0)
    median, high, *others = read_lines(svg)
    assert [len(line) for line in (median, high, *others)] == [2, 2, 1, 1]
    assert median[0][0] < median[1][0]  # in order of speakers
    assert median[1][1] > high[1][1]  # more seconds are further up
    assert all(TOP <= y <= HEIGHT - BOTTOM for line in (median, high, *others) for _, y in line)
    told = [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]
    assert {"one p50", "one p95", "a < b p50", "bar 2 s", "speakers", "0", "1", "8"} <= set(told)


def test_a_plot_of_nothing_and_of_one_point() -> None:
    assert read_lines(draw({}, "nothing", None)) == []
    assert "nan" not in draw({"one": [(1, 1.0, 1.0)]}, "one", None)
    assert not re.search(r"bar \d", draw({"one": [(1, 1.0, 1.0)]}, "one", None))
