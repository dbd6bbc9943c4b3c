"""Line charts as inline SVG: no library in the page or behind it, sharp on paper, told apart without colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from markupsafe import Markup, escape

from .slices import TOO_FEW

WIDTH, HEIGHT = 420, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 34, 44
# Okabe and Ito's colours, darkened to stand out on white; each comes with a dash pattern of its own.
STYLES = (("#0072B2", ""), ("#B84A00", "8 4"), ("#7A4FA0", "2 3"), ("#444444", "10 3 2 3"))

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart, in the style of its place."""

    name: str
    points: Sequence[Point]
    weights: Sequence[int] = ()
    """How many sentences each point stands for: its dot's area; none without. With too few it is off the line."""


def chart(
    title: str,
    lines: Sequence[Line],
    *,
    x: str,
    y: str,
    y_max: float = 1.0,
    diagonal: bool = False,
    at: Point | None = None,
) -> Markup:
    """Draw lines over [0, 1] × [0, y_max].

    Args:
        title: Read out by screen readers.
        lines: At most as many as there are `STYLES`.
        x: Name of the axis.
        y: Name of the axis.
        y_max: Top of the chart.
        diagonal: Whether to draw where both axes agree.
        at: A point to mark with a ring.
    """
    span_x, span_y = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

    def place(point: Point) -> str:
        return f"{_LEFT + point[0] * span_x:.1f},{_TOP + (1 - min(point[1] / y_max, 1)) * span_y:.1f}"

    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">']
    digits = 1 if y_max == 1 else 2
    for tick in range(6):
        (x_at, bottom), (_, y_at) = place((tick / 5, 0)).split(","), place((0, y_max * tick / 5)).split(",")
        parts.append(
            f'<path class="grid" d="M{_LEFT},{y_at}H{WIDTH - _RIGHT}M{x_at},{_TOP}V{bottom}"/>'
            f'<text x="{x_at}" y="{float(bottom) + 16}" text-anchor="middle">{tick / 5:.1f}</text>'
            f'<text x="{_LEFT - 6}" y="{float(y_at) + 4}" text-anchor="end">{y_max * tick / 5:.{digits}f}</text>'
        )
    if diagonal:
        parts.append(f'<path class="diagonal" d="M{place((0, 0))}L{place((1, 1))}"/>')
    legend = 8.0
    for at_line, (line, (colour, dash)) in enumerate(zip(lines, STYLES, strict=False)):
        solid = [n >= TOO_FEW for n in line.weights] or [True] * len(line.points)
        path = "L".join(place(point) for point, known in zip(line.points, solid, strict=True) if known)
        stroke = f'stroke="{colour}" stroke-dasharray="{dash}"'
        if path:
            parts.append(f'<path class="line" {stroke} d="M{path}"/>')
        largest = max(line.weights, default=1)
        for point, weight in zip(line.points, line.weights, strict=False):
            centre_x, centre_y = place(point).split(",")
            r = 2 + 5 * sqrt(weight / largest)
            # A dot on the first line, a square on the others: told apart in black and white too.
            shape = (
                f'<rect x="{float(centre_x) - r:.1f}" y="{float(centre_y) - r:.1f}" width="{2 * r:.1f}" '
                f'height="{2 * r:.1f}"'
                if at_line
                else f'<circle cx="{centre_x}" cy="{centre_y}" r="{r:.1f}"'
            )
            opacity = 0.6 if weight >= TOO_FEW else 0
            parts.append(f'{shape} fill="{colour}" stroke="{colour}" fill-opacity="{opacity}"/>')
        parts.append(
            f'<path class="line" {stroke} d="M{legend:.0f},14h22"/>'
            f'<text x="{legend + 25:.0f}" y="18">{escape(line.name)}</text>'
        )
        legend += 33 + 8.2 * len(line.name)
    if at is not None:
        ring_x, ring_y = place(at).split(",")
        parts.append(f'<circle class="ring" cx="{ring_x}" cy="{ring_y}" r="7"/>')
    parts.append(
        f'<text x="{_LEFT + span_x / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x)}</text>'
        f'<text transform="translate(12 {_TOP + span_y / 2}) rotate(-90)" text-anchor="middle">{escape(y)}</text></svg>'
    )
    return Markup("".join(parts))  # noqa: S704 (every text in it is escaped above)


def interval(figure: Mapping[str, Any] | None) -> Markup:
    """Draw a share and its interval on a short line from 0 to 1; nothing where it is unknown."""
    if figure is None or figure["value"] is None:
        return Markup("")
    low, high = figure["ci95"] or (figure["value"], figure["value"])
    return Markup(  # noqa: S704 (numbers only)
        '<svg class="interval" viewBox="0 0 104 14" aria-hidden="true">'
        '<path class="axis" d="M2,7H102M2,4V10M52,4V10M102,4V10"/>'
        f'<path class="range" d="M{2 + 100 * low:.1f},7H{2 + 100 * high:.1f}"/>'
        f'<circle cx="{2 + 100 * figure["value"]:.1f}" cy="7" r="4"/></svg>'
    )


def precision_recall_chart(report: Mapping[str, Any]) -> Markup:
    """Draw each label's precision against its recall."""
    lines = [
        Line(label, [(point["recall"], point["precision"]) for point in curve["points"]] if curve else [(0, 0)])
        for label, curve in report["precision_recall"].items()
    ]
    return chart("Precision against recall of each label", lines, x="recall", y="precision")


def reliability_chart(report: Mapping[str, Any]) -> Markup:
    """Draw accuracy against confidence, after calibration and before."""
    named = {"calibrated": report["calibration"], "before": report["calibration"]["before"]}
    lines = [
        Line(
            name,
            [(one["confidence"], one["accuracy"]) for one in entry["bins"] if one["n"]],
            [one["n"] for one in entry["bins"] if one["n"]],
        )
        for name, entry in named.items()
        if entry
    ]
    return chart("Accuracy against confidence", lines, x="confidence", y="share that is right", diagonal=True)


def coverage_risk_chart(report: Mapping[str, Any]) -> Markup:
    """Draw the error among the kept sentences against their share."""
    abstention = report["abstention"]
    points = [(point["coverage"], point["risk"]) for point in abstention["curve"]]
    suggested = abstention["suggested"]
    return chart(
        "Error among the sentences kept against the share kept",
        [Line("error among those kept", points)],
        x="share of sentences kept",
        y="error",
        y_max=next(top for top in (0.1, 0.25, 0.5, 1.0) if all(risk <= top for _, risk in points)),
        at=(suggested["coverage"], suggested["risk"]) if suggested else None,
    )
