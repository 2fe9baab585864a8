"""How many: bars by name, and how values are spread."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from numpy.typing import NDArray

from sayso.views.plots.style import BLUE, INK, VERMILION, add_axes, make_figure, make_printable, text_inches, use_style

__all__ = ["draw_bars", "draw_histogram"]

_ROW_INCHES = 0.24
_MOST_CLASSES = 40


def draw_bars(counts: Mapping[str, int], *, title: str, x_label: str) -> Figure:
    """Draw a bar for each name, in the order given, its number at its end.

    Args:
        counts: name to number.
        title: over the picture.
        x_label: what is counted.

    Returns:
        A figure 7 inches wide that grows with the number of names.
    """
    names = [make_printable(name) for name in counts]
    left = max((text_inches(name, points=9.5) for name in names), default=0.0) + 0.25
    height = _ROW_INCHES * max(1, len(names))
    with use_style():
        figure = make_figure(7.0, height + 1.1)
        axes = add_axes(figure, left=left, bottom=0.6, width=6.3 - left, height=height)
        drawn = axes.barh(range(len(names)), list(counts.values()), height=0.72, color=BLUE)
        axes.bar_label(drawn, labels=[f"{count:,}" for count in counts.values()], padding=3, fontsize=8.5, color=INK)
        axes.set_yticks(range(len(names)), names, fontsize=9.5)
        axes.set_ylim(max(1, len(names)) - 0.4, -0.6)
        axes.set(title=title, xlabel=x_label)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.grid(axis="x")
    return figure


def draw_histogram(
    values: NDArray[np.float64],
    *,
    title: str,
    x_label: str,
    y_label: str,
    mark: tuple[float, str] | None = None,
    whole: bool = False,
) -> Figure:
    """Draw how values are spread, in up to 40 classes of equal width; values that are alike are one narrow class.

    Args:
        values: (n,).
        title: over the picture.
        x_label: what they are, with the unit.
        y_label: what is counted.
        mark: a value to draw a line at, and its name.
        whole: whether they count something, so that a class holds whole numbers.

    Returns:
        A figure of 7 x 3.4 inches.
    """
    low, high = _span([*values.tolist(), *([mark[0]] if mark else [])])
    with use_style():
        figure = make_figure(7.0, 3.4)
        axes = add_axes(figure, left=0.9, bottom=0.6, width=5.8, height=2.3)
        axes.hist(values, bins=_edges(values, least=(high - low) / _MOST_CLASSES, whole=whole).tolist(), color=BLUE)
        if mark:
            axes.axvline(mark[0], color=VERMILION, linestyle="--", label=mark[1])
            axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0, fontsize=9)
        room = 0.04 * (high - low)
        axes.set(title=title, xlabel=x_label, ylabel=y_label, xlim=(low - room, high + room))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=whole))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.grid(axis="y")
    return figure


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Choose the ends of the axis: those of the values, or where they are nearly alike, half of the largest apart."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    missing = max(0.0, 0.5 * max(abs(low), abs(high), 1e-3) - (high - low))
    return low - missing / 2, high + missing / 2


def _edges(values: NDArray[np.float64], *, least: float, whole: bool) -> NDArray[np.float64]:
    """Give the edges of the classes, none narrower than `least`, which is what can be seen on the axis."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if whole:
        step = max(1, math.ceil(max(least, (high - low + 1) / _MOST_CLASSES)))
        return np.arange(low - 0.5, high + step + 0.5, step)
    if high - low < least:
        middle = (low + high) / 2
        return np.array([middle - least / 2, middle + least / 2])
    wanted = min(_MOST_CLASSES, max(8, len(values) // 4))
    return np.linspace(low, high, min(wanted, math.floor((high - low) / least)) + 1)
