"""Misses against false alarms an hour: what each threshold of a word costs."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from sayso.views.plots.learning import draw_by_size
from sayso.views.plots.shares import set_share_axis
from sayso.views.plots.style import BLUE, MUTED, VERMILION, add_axes, make_figure, use_style

__all__ = ["draw_alarms_by_minutes", "draw_misses_by_alarms", "find_best"]


def draw_misses_by_alarms(
    points: Sequence[tuple[float, float]],
    chosen: tuple[float, float],
    *,
    replayed_hours: float,
    independent_hours: float,
    asked_per_hour: float,
) -> Figure:
    """Draw the least share that is missed at each rate of false alarms.

    The axis of rates is logarithmic and begins at one alarm in all replayed hours; what has none stands there. Left of
    one alarm in the independent hours the curve is dashed: the same sound was heard again and again.

    Args:
        points: false alarms an hour and share missed (0 to 1) of each threshold, in any order, at least one; of a
            threshold that another betters in both nothing is drawn.
        chosen: the same of the threshold that was chosen.
        replayed_hours: length of all streams.
        independent_hours: length of their background, each second counted once.
        asked_per_hour: the rate that was asked for.

    Returns:
        A figure of 6.4 x 3.5 inches.
    """
    begin, sure = 1 / replayed_hours, 1 / independent_hours
    with use_style():
        figure = make_figure(6.4, 3.5)
        axes = add_axes(figure, left=0.75, bottom=0.6, width=5.4, height=2.6)
        best = find_best([(max(begin, rate), missed) for rate, missed in points])
        end = max(best[-1][0], chosen[0], 2 * sure, 2 * asked_per_hour, 10 * begin)
        dashed = [point for point in best if point[0] < sure]
        plain = [point for point in best if point[0] >= sure]
        if dashed:  # each share holds until the next rate
            between = (sure, dashed[-1][1])
            dashed, plain = [*dashed, between], [between, *plain]
        plain.append((end, plain[-1][1]))
        for part, style in ((dashed, "--"), (plain, "-")):
            rates, misses = [rate for rate, _ in part], [missed for _, missed in part]
            axes.plot(rates, misses, color=BLUE, linestyle=style, drawstyle="steps-post")
        axes.axvline(asked_per_hour, color=MUTED, linestyle=":", linewidth=1.2)
        asked: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "fontsize": 9, "color": MUTED}
        axes.annotate(f"{asked_per_hour:g} asked for", (asked_per_hour, 1.01), ha="center", va="bottom", **asked)
        axes.plot([max(begin, chosen[0])], [chosen[1]], color=VERMILION, marker="o", markersize=7, linestyle="none")
        axes.set_xscale("log")
        axes.set_xlim(begin / 1.15, end * 1.1)
        axes.set_xlabel("false alarms an hour")
        steps = (1.0,) if math.log10(end / begin) > 2.5 else (1.0, 2.0, 5.0)
        axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=8))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(_plain))
        set_share_axis(axes, "y", "words missed")
        axes.grid(axis="both")
    return figure


def draw_alarms_by_minutes(
    points: Sequence[tuple[float, float, float, float]], band: Sequence[tuple[float, float, float, float]]
) -> Figure:
    """Draw false alarms an hour against the minutes of background trained on, and the curve through them with its band.

    Args:
        points: minutes, alarms an hour, lower and upper limit of each size, rising.
        band: the same along the curve; empty where none was fitted. What lies beyond the last point is dashed.

    Returns:
        A figure of 6.4 x 3.6 inches.
    """
    with use_style():
        figure, axes = draw_by_size(points, band, label="minutes of background trained on")
        axes.set_ylabel("false alarms an hour")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    return figure


def find_best(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Keep the points that no other betters in both, the first number rising and the second falling.

    >>> find_best([(2.0, 0.5), (1.0, 0.9), (3.0, 0.5), (1.0, 0.7)])
    [(1.0, 0.7), (2.0, 0.5)]
    """
    best: list[tuple[float, float]] = []
    for point in sorted(points):
        if not best or point[1] < best[-1][1]:
            best.append(point)
    return best


def _plain(value: float, _: object = None) -> str:
    return f"{value:g}"
