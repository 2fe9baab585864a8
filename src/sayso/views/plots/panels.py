"""Panels of curves and of values over time and frequency, one on a sheet or many."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter
from numpy.typing import NDArray

from sayso.views.plots.layout import Canvas
from sayso.views.plots.style import BLUE, INK, VERMILION, make_figure, make_printable, text_inches, use_style

__all__ = ["Curves", "Heat", "Panel", "draw_sheet"]

_WIDTH, _HEIGHT = 4.3, 1.75  # of a panel's axes, in inches
_LEFT, _RIGHT, _BOTTOM, _TOP = 0.95, 0.95, 0.55, 0.4  # around them
_TITLE = 0.45
_COLOURS = "magma"  # rises evenly in grey too
_FLAT = 1e-4  # of the largest value: less between the least and the largest is no picture
_MOST_DECADES = 2.8  # on which numbers at 1, 2 and 5 do not stand over one another
# Neighbours differ in more than colour.
_LINES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-"},
    {"color": VERMILION, "linestyle": (0, (4, 1.2))},
    {"color": INK, "linestyle": (0, (1, 1))},
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Curves:
    """A panel of one curve or several over the same axis."""

    title: str
    x: NDArray[np.float64]
    """(points,)"""
    ys: NDArray[np.float64]
    """(curves, points)"""
    x_label: str
    """With its unit."""
    y_label: str
    """With its unit."""
    log_x: bool = False
    x_limits: tuple[float, float] | None = None
    """None: from the first point to the last."""
    names: tuple[str, ...] = ()
    """One for each curve, up to three, for a legend; none: no legend."""
    marker: str = ""
    last_apart: bool = False
    """Draw the last curve dotted, as something else than the others."""
    thin: bool = False
    """For waveforms and dense spectra."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Heat:
    """A panel of values over two axes, bright where they are high, and none where nothing stands out."""

    title: str
    values: NDArray[np.float64]
    """(rows, columns), the first row at the bottom."""
    x_edges: NDArray[np.float64]
    """(columns + 1,)"""
    y_edges: NDArray[np.float64]
    """(rows + 1,)"""
    x_label: str
    y_label: str
    value_label: str
    """What the colours mean, with the unit."""
    log_y: bool = False
    y_ticks: tuple[tuple[float, str], ...] = ()
    """Places on the vertical axis and what is written there; none: numbers."""
    limits: tuple[float, float] | None = None
    """Values of the darkest and the brightest colour; None: the least and the largest."""


Panel = Curves | Heat


def draw_sheet(panels: Sequence[Panel], *, title: str = "", columns: int = 2) -> Figure:
    """Draw panels on one sheet, row by row.

    Args:
        panels: what to draw, at least one.
        title: over all of them.
        columns: panels in a row.
    """
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    wide, high = _LEFT + _WIDTH + _RIGHT, _BOTTOM + _HEIGHT + _TOP
    over = _TITLE if title else 0.0
    with use_style():
        figure = make_figure(columns * wide, rows * high + over)
        for index, panel in enumerate(panels):
            row, column = divmod(index, columns)
            _draw(Canvas(figure, column * wide, (rows - 1 - row) * high), panel)
        if title:
            up = 1 - 0.12 / (rows * high + over)
            shown = make_printable(title, most=90)
            points = min(13.0, 13.0 * (columns * wide - 0.3) / text_inches(shown, points=14.5))  # bold is wider
            figure.text(0.1 / (columns * wide), up, shown, fontsize=points, fontweight="bold", va="top")
    return figure


def _draw(canvas: Canvas, panel: Panel) -> None:
    axes = canvas.axes(left=_LEFT, bottom=_BOTTOM, width=_WIDTH, height=_HEIGHT)
    if isinstance(panel, Heat):
        bar = canvas.axes(left=_LEFT + _WIDTH + 0.1, bottom=_BOTTOM, width=0.1, height=_HEIGHT)
        _heat(axes, bar, panel)
    else:
        _curves(axes, panel)
    axes.set(title=panel.title, xlabel=panel.x_label, ylabel=panel.y_label)
    axes.title.set_fontsize(10.5)


def _curves(axes: Axes, panel: Curves) -> None:
    width = 0.6 if panel.thin else 1.2
    for index, y in enumerate(panel.ys):
        name = panel.names[index] if panel.names else None
        apart = panel.last_apart and index == len(panel.ys) - 1
        look = _LINES[2 if apart else index % 2]
        axes.plot(panel.x, y, linewidth=width, marker=panel.marker, markersize=3, label=name, **look)
    if panel.x_limits or len(panel.x) > 1:
        axes.set_xlim(panel.x_limits or (float(panel.x[0]), float(panel.x[-1])))
    if panel.log_x:
        axes.set_xscale("log")
        _plain_ticks(axes, "x")
    axes.grid(axis="both" if panel.log_x else "y")
    if panel.names:
        axes.legend(  # beside the title, never over the curves
            ncols=len(panel.names), loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2, fontsize=8.5
        )


def _heat(axes: Axes, bar: Axes, panel: Heat) -> None:
    least, most = panel.limits or (float(panel.values.min()), float(panel.values.max()))
    size = max(1.0, float(np.abs(panel.values).max()))
    if is_flat := min(most - least, float(np.ptp(panel.values))) <= _FLAT * size:
        least, most = size, 2 * size  # all of it dark: colours would make a pattern of rounding
    drawn = axes.pcolormesh(
        panel.x_edges,
        panel.y_edges,
        panel.values,
        cmap=mpl.colormaps[_COLOURS],
        vmin=least,
        vmax=most if most > least else least + 1,
        rasterized=True,  # a hundred thousand small squares are no file to send
    )
    if panel.log_y:
        axes.set_yscale("log")
        _plain_ticks(axes, "y")
    if panel.y_ticks:
        axes.set_yticks([place for place, _ in panel.y_ticks], [text for _, text in panel.y_ticks])
    axes.set_ylim(float(panel.y_edges[0]), float(panel.y_edges[-1]))
    axes.tick_params(direction="out")
    if is_flat:
        bar.set_axis_off()
        middle: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
        axes.text(0.5, 0.5, "nothing stands out", color="white", **middle)
        return
    scale = axes.figure.colorbar(drawn, cax=bar)
    scale.set_label(panel.value_label, fontsize=8.5)
    scale.ax.tick_params(labelsize=8)
    scale.outline.set_visible(False)  # pyright: ignore[reportCallIssue, reportAttributeAccessIssue]


def _plain_ticks(axes: Axes, which: str) -> None:
    """Write 100, 200, 500, 1,000 on a logarithmic axis instead of powers of ten; 100, 300, 1,000 on a long one."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    crowded = which == "x" and math.log10(high / low) > _MOST_DECADES
    axis.set_major_locator(LogLocator(subs=(1.0, 3.0) if crowded else (1.0, 2.0, 5.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
