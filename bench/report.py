"""What is left of a bench: a table for people, a file for programs, and a plot over the number of registries."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from xml.sax.saxutils import escape

from bench.stand import Figure

RESULTS = Path(__file__).with_name("results")
PACKAGES = ("ansible-core", "kubernetes")
WIDTH, HEIGHT, MARGIN, LEGEND = 720, 420, 60, 220
COLOURS = ("#c9190b", "#6a6e73", "#0066cc", "#3e8635")
TICKS = 5


def table(figures: Sequence[Figure]) -> str:
    """The figures as aligned lines."""
    rows = [("", "measured", "limit", "from")]
    rows += [(figure.what, f"{figure.value:.3g}", _limit(figure), figure.origin) for figure in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join([row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].ljust(widths[2]), row[3]]) for row in rows)


def write(figures: Sequence[Figure]) -> list[Path]:
    """Write the figures and, when some are points of a plot, the plot; the files."""
    RESULTS.mkdir(exist_ok=True)
    stem = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    described = {
        "cores": len(os.sched_getaffinity(0)),
        "machine": platform.machine(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
        "figures": [asdict(figure) | {"kept": figure.kept} for figure in figures],
    }
    files = [RESULTS / f"{stem}.json"]
    files[0].write_text(json.dumps(described, indent=2) + "\n")
    if lines := _lines(figures):
        files.append(RESULTS / f"{stem}.svg")
        files[1].write_text(plot(lines))
    return files


def plot(lines: dict[str, list[tuple[int, float]]]) -> str:
    """An SVG with seconds over the number of registries; every line has its points in order."""
    largest = max(number for points in lines.values() for number, _seconds in points)
    step = _round_step(max(seconds for points in lines.values() for _number, seconds in points) / TICKS)
    top = step * TICKS

    def at(number: float, seconds: float) -> tuple[float, float]:
        return MARGIN + number / largest * (WIDTH - MARGIN - LEGEND), HEIGHT - MARGIN - seconds / top * (HEIGHT - 2 * MARGIN)

    parts = ['<rect width="100%" height="100%" fill="#ffffff"/>']
    parts += [_text(MARGIN, MARGIN / 2, "start", "Seconds of a run that finds nothing to do, by the number of registries with 10 grants each")]
    for tick in range(TICKS + 1):
        (left, y), (right, _y) = at(0, tick * step), at(largest, tick * step)
        parts += [f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#d2d2d2"/>', _text(left - 8, y + 4, "end", f"{tick * step:g}")]
    for number in sorted({number for points in lines.values() for number, _seconds in points}):
        x, y = at(number, 0)
        parts.append(_text(x, y + 20, "middle", str(number)))
    for (name, points), colour in zip(lines.items(), COLOURS * len(lines), strict=False):
        places = [at(*point) for point in points]
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in places]
        parts.append(_text(places[-1][0] + 10, places[-1][1] + 4, "start", name, colour))
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="13">\n{body}\n</svg>\n'


def _limit(figure: Figure) -> str:
    return "" if figure.limit is None else f"{figure.limit:g}" + ("" if figure.kept else "  EXCEEDED")


def _lines(figures: Sequence[Figure]) -> dict[str, list[tuple[int, float]]]:
    lines: dict[str, list[tuple[int, float]]] = {}
    for figure in figures:
        if figure.point:
            name, number = figure.point
            lines.setdefault(name, []).append((number, figure.value))
    return lines


def _round_step(least: float) -> float:
    """The next larger of 1, 2, 5, 10, 20 and so on, or of their tenths."""
    return next(base * 10.0**power for power in range(-3, 9) for base in (1, 2, 5) if base * 10.0**power >= least)


def _text(x: float, y: float, anchor: str, text: str, colour: str = "#151515") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
