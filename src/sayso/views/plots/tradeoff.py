"""What accuracy costs: each recipe as a dot, its accuracy up, its cost to the right."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullLocator

from sayso.views.plots.shares import set_share_axis
from sayso.views.plots.style import BLUE, INK, MUTED, add_axes, make_figure, make_printable, use_style

__all__ = ["draw_accuracy_against_cost"]

_WIDTH, _HEIGHT, _LEFT, _SPACE = 2.4, 2.6, 0.7, 0.3
_LINE_INCHES = 0.19
_BESIDE = 2.5  # how far an axis goes beyond its dots, as a factor
_MOST_NUMBERS = 6


def draw_accuracy_against_cost(rows: Sequence[Mapping[str, Any]], costs: Mapping[str, str]) -> Figure:
    """Draw one panel for each cost, side by side; numbers beside the dots are ranks, named below.

    Args:
        rows: for each recipe, the best first: `recipe`, `rank`, `accuracy` (0 to 1), `speaker_ci95` ([low, high] or
            None), and the costs, all above 0.
        costs: key of each cost in a row to what its axis is called.

    Returns:
        A figure about 9 inches wide that grows with the number of recipes.
    """
    columns = 2 if len(rows) > 1 else 1
    lines = -(-len(rows) // columns)
    legend = lines * _LINE_INCHES + 0.15
    with use_style():
        figure = make_figure(_LEFT + len(costs) * (_WIDTH + _SPACE), legend + 0.55 + _HEIGHT + 0.15)
        lowest = min(end for row in rows for end in (row["accuracy"], *(row["speaker_ci95"] or ())))
        for place, (key, title) in enumerate(costs.items()):
            left = _LEFT + place * (_WIDTH + _SPACE)
            axes = add_axes(figure, left=left, bottom=legend + 0.5, width=_WIDTH, height=_HEIGHT)
            _panel(axes, rows, key)
            axes.set_xlabel(title)
            set_share_axis(axes, "y", "clips recognised", lowest=lowest)
            if place:
                axes.tick_params(axis="y", labelleft=False)
                axes.set_ylabel("")
        across, up = figure.get_size_inches()
        for place, row in enumerate(rows):
            column, line = divmod(place, lines)
            at = (_LEFT + column * (across - _LEFT) / columns, legend - 0.1 - line * _LINE_INCHES)
            text = f"{row['rank']}  {make_printable(row['recipe'], most=44)}"
            figure.text(at[0] / across, at[1] / up, text, fontsize=9, va="top", color=INK)
    return figure


def _panel(axes: Axes, rows: Sequence[Mapping[str, Any]], key: str) -> None:
    for row in rows:
        cost, accuracy = row[key], row["accuracy"]
        if row["speaker_ci95"]:
            axes.plot([cost, cost], row["speaker_ci95"], color=BLUE, linewidth=1.6, alpha=0.35)
        axes.plot([cost], [accuracy], color=BLUE, marker="o", markersize=5)
        aside: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": 9, "color": MUTED}
        # Neighbours in rank are neighbours in height: their numbers stand on either side.
        side, across = ("left", 6) if row["rank"] % 2 else ("right", -6)
        axes.annotate(str(row["rank"]), (cost, accuracy), xytext=(across, 0), ha=side, **aside)
    axes.set_xscale("log")
    values = [row[key] for row in rows]
    lowest, highest = min(values) / _BESIDE, max(values) * _BESIDE
    axes.set_xlim(lowest, highest)
    axes.xaxis.set_major_locator(LogLocator(subs=_numbers(math.log10(highest / lowest)), numticks=_MOST_NUMBERS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(_number))
    axes.grid(axis="both")


def _number(cost: float, _: object = None) -> str:
    """Write a cost: 200k from a thousand on, 0.05 below one.

    >>> _number(2e5), _number(0.05)
    ('200k', '0.05')
    """
    return EngFormatter(sep="")(cost) if cost >= 1000 else f"{cost:g}"


def _numbers(decades: float) -> tuple[float, ...]:
    """Choose where within a decade numbers stand, so that every axis has some and none is crowded."""
    return (1.0, 2.0, 5.0) if decades < 1.6 else (1.0, 3.0) if decades < 2.6 else (1.0,)
