"""What accuracy costs: each recipe as a dot, its accuracy up, its cost to the right."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter, PercentFormatter

from sayso.views.plots.style import BLUE, INK, MUTED, add_axes, make_figure, make_printable, use_style

__all__ = ["draw_accuracy_against_cost"]

_WIDTH, _HEIGHT, _LEFT, _SPACE = 2.4, 2.6, 0.6, 0.3
_LINE_INCHES = 0.19


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
        lowest, highest = _limits(rows)
        for place, (key, title) in enumerate(costs.items()):
            left = _LEFT + place * (_WIDTH + _SPACE)
            axes = add_axes(figure, left=left, bottom=legend + 0.5, width=_WIDTH, height=_HEIGHT)
            _panel(axes, rows, key)
            axes.set_xlabel(title)
            axes.set_ylim(lowest, highest)
            if place:
                axes.tick_params(axis="y", labelleft=False)
            else:
                axes.set_ylabel("clips recognised (%)")
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
        axes.annotate(
            str(row["rank"]), (cost, accuracy), xytext=(5, 3), textcoords="offset points", fontsize=9, color=MUTED
        )
    axes.set_xscale("log")
    values = [row[key] for row in rows]
    axes.set_xlim(min(values) / 2, max(values) * 2)
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=None))
    axes.grid(axis="both")


def _limits(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Choose the lowest and highest accuracy to show, with room around them."""
    ends = [end for row in rows for end in (row["accuracy"], *(row["speaker_ci95"] or ()))]
    room = max(0.02, 0.05 * (max(ends) - min(ends)))
    return max(-0.02, min(ends) - room), min(1.02, max(ends) + room)
