"""Misses against false alarms an hour: what each threshold of a word costs."""

import math
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from sayso.views.plots.shares import set_share_axis
from sayso.views.plots.style import BLUE, MUTED, VERMILION, add_axes, make_figure, use_style

__all__ = ["draw_misses_by_alarms"]

_MOST_DECADES = 6


def draw_misses_by_alarms(
    points: Sequence[tuple[float, float]],
    chosen: tuple[float, float],
    *,
    replayed_hours: float,
    independent_hours: float,
    asked_per_hour: float,
) -> Figure:
    """Draw the share that is missed at each rate of false alarms.

    The axis of rates is logarithmic and begins at one alarm in all replayed hours; what has none stands there. Left of
    one alarm in the independent hours the curve is dashed: the same sound was heard again and again.

    Args:
        points: false alarms an hour and share missed (0 to 1) of each threshold, by falling threshold.
        chosen: the same of the threshold that was chosen.
        replayed_hours: length of all streams.
        independent_hours: length of their background, each second counted once.
        asked_per_hour: the rate that was asked for.

    Returns:
        A figure of 6.4 x 3.4 inches.
    """
    begin, sure = 1 / replayed_hours, 1 / independent_hours
    with use_style():
        figure = make_figure(6.4, 3.4)
        axes = add_axes(figure, left=0.75, bottom=0.6, width=5.4, height=2.55)
        rates = [max(begin, rate) for rate, _ in points]
        misses = [missed for _, missed in points]
        end = max([*rates, 2 * sure, 2 * asked_per_hour, 10 * begin])
        end = min(end, begin * 10**_MOST_DECADES)
        split = sum(rate < sure for rate in rates)
        axes.plot(rates[: split + 1], misses[: split + 1], color=BLUE, linestyle="--", drawstyle="steps-post")
        axes.plot(rates[split:], misses[split:], color=BLUE, drawstyle="steps-post")
        axes.axvline(asked_per_hour, color=MUTED, linestyle=":", linewidth=1.2)
        axes.annotate(
            f" {asked_per_hour:g} asked for",
            (asked_per_hour, 1.0),
            xycoords=("data", "axes fraction"),
            fontsize=9,
            color=MUTED,
            va="top",
        )
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


def _plain(value: float, _: object = None) -> str:
    return f"{value:g}"
