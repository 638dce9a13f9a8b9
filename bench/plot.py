# SPDX-License-Identifier: BSD-2-Clause
"""
Small line plots as SVG: panels side by side, each with its axes, linear or logarithmic.

    save(path, "What grows", [Panel("title", "x (unit)", "y (unit)", {"name": [(x, y), ...]})])
"""

import dataclasses
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 460, 330  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 70, 22, 66, 56  # around its plot
COLOURS = ("#1f5fa8", "#c2491d", "#2e7d32", "#6a3d9a", "#555555")
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 2")
STYLE = ("text { font: 12px sans-serif; fill: #222 } .title { font-size: 14px; font-weight: bold } "
         ".grid { stroke: #ddd } .axis { stroke: #444; fill: none }")


@dataclasses.dataclass
class Panel:
    title: str
    x_label: str
    y_label: str
    series: dict  # name: [(x, y), ...]
    x_log: bool = True
    y_log: bool = False


def number(value):
    """1500 -> 1.5k: short enough for an axis."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.10g}{name}"
    return f"{value:.6g}"


class Axis:
    """Values to pixels, and where its ticks are."""

    def __init__(self, values, log, start, end):
        self.log, self.start, self.end = log, start, end
        low, high = min(values), max(values)
        if log:
            self.low, self.high = math.log10(low), math.log10(high)
            if self.high - self.low < 1:
                self.low, self.high = math.floor(self.low), math.ceil(self.high)
            first, last = math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9)
            self.ticks = [10.0 ** power for power in range(first, last + 1)]
        else:
            step = self._step((high or 1) / 5)
            self.low, self.high = 0, max(math.ceil(high / step), 1) * step
            self.ticks = [i * step for i in range(round(self.high / step) + 1)]

    @staticmethod
    def _step(rough):
        base = 10.0 ** math.floor(math.log10(rough))
        return next(m * base for m in (1, 2, 5, 10) if m * base >= rough * 0.999)

    def at(self, value):
        place = math.log10(value) if self.log else value
        return self.start + (place - self.low) / ((self.high - self.low) or 1) * (self.end - self.start)


def draw_axes(panel, x_axis, y_axis, x0, out):
    left, right = x0 + LEFT, x0 + WIDTH - RIGHT
    bottom = HEIGHT - BOTTOM
    for tick in y_axis.ticks:
        y = y_axis.at(tick)
        out.append(f'<line class="grid" x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        out.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    for tick in x_axis.ticks:
        x = x_axis.at(tick)
        out.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>')
        out.append(f'<text x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{number(tick)}</text>')
    out.append(f'<path class="axis" d="M{left} {TOP}V{bottom}H{right}"/>')
    middle = (left + right) / 2
    x_note = panel.x_label + (", logarithmic" if panel.x_log else "")
    y_note = panel.y_label + (", logarithmic" if panel.y_log else "")
    out.append(f'<text class="title" x="{middle}" y="20" text-anchor="middle">'
               f'{escape(panel.title)}</text>')
    out.append(f'<text x="{middle}" y="{HEIGHT - 16}" text-anchor="middle">{escape(x_note)}</text>')
    height = (TOP + bottom) / 2
    out.append(f'<text x="{x0 + 16}" y="{height}" text-anchor="middle" '
               f'transform="rotate(-90 {x0 + 16} {height})">{escape(y_note)}</text>')


def draw_series(panel, x_axis, y_axis, x0, out):
    legend_x = x0 + LEFT
    for i, (name, points) in enumerate(panel.series.items()):
        colour, dash = COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)]
        line = " ".join(f"{x_axis.at(x):.1f},{y_axis.at(y):.1f}" for x, y in points)
        stroke = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
        out.append(f'<polyline points="{line}" fill="none" {stroke}/>')
        out += [f'<circle cx="{x_axis.at(x):.1f}" cy="{y_axis.at(y):.1f}" r="3" fill="{colour}"/>'
                for x, y in points]
        out.append(f'<line x1="{legend_x}" y1="46" x2="{legend_x + 26}" y2="46" {stroke}/>')
        out.append(f'<text x="{legend_x + 31}" y="50">{escape(name)}</text>')
        legend_x += 48 + 6.5 * len(name)


def render(title, panels):
    width = WIDTH * len(panels)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" '
           f'width="{width}" height="{HEIGHT}" role="img">', f"<title>{escape(title)}</title>",
           f"<style>{STYLE}</style>", f'<rect width="{width}" height="{HEIGHT}" fill="white"/>']
    for i, panel in enumerate(panels):
        x0 = i * WIDTH
        points = [point for line in panel.series.values() for point in line]
        x_axis = Axis([x for x, _ in points], panel.x_log, x0 + LEFT, x0 + WIDTH - RIGHT)
        y_axis = Axis([y for _, y in points], panel.y_log, HEIGHT - BOTTOM, TOP)
        draw_axes(panel, x_axis, y_axis, x0, out)
        draw_series(panel, x_axis, y_axis, x0, out)
    out.append("</svg>")
    return "\n".join(out) + "\n"


def save(path, title, panels):
    path.write_text(render(title, panels))
