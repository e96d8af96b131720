"""What a bench leaves: a table that names what is beyond its limit, and a plot."""

from __future__ import annotations

from xml.etree import ElementTree

from bench import report
from bench.stand import Figure

SVG = "{http://www.w3.org/2000/svg}"


def test_the_table_names_what_is_beyond_its_limit() -> None:
    lines = report.table([Figure("one", 1.04, 1.0, "a"), Figure("two", 1.0, 1.0, "b"), Figure("three", 9.0, None, "c")]).splitlines()
    assert [line.split() for line in lines[1:]] == [["one", "1.04", "1", "EXCEEDED", "a"], ["two", "1", "1", "b"], ["three", "9", "c"]]


def test_the_plot_has_every_point_of_every_line_in_proportion() -> None:
    drawn = ElementTree.fromstring(report.plot({"ours": [(100, 2.0), (1000, 20.0)], "a < b": [(100, 1.0)]}))
    circles = [(float(circle.attrib["cx"]), float(circle.attrib["cy"])) for circle in drawn.iter(f"{SVG}circle")]
    (left, low), (right, high), (other, lowest) = circles
    bottom = report.HEIGHT - report.MARGIN
    assert left == other < right == report.WIDTH - report.LEGEND
    assert abs((bottom - high) - 10 * (bottom - low)) < 1 and abs((bottom - low) - 2 * (bottom - lowest)) < 1
    assert {"ours", "a < b", "100", "1000"} <= {text.text for text in drawn.iter(f"{SVG}text")}
