"""Long recordings as lines, with what was detected and missed in them; and how soon words were known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sayso.system.wording import counted
from sayso.views.plots.style import (
    BLUE,
    GRID,
    INK,
    VERMILION,
    add_axes,
    make_figure,
    make_printable,
    mark_value,
    text_inches,
    use_style,
)

__all__ = ["MOST_LINES", "TimelineRow", "draw_latencies", "draw_timeline"]

MOST_LINES = 40
"""Recordings that are drawn; the others are counted."""
_LINE_INCHES, _WIDTH = 0.3, 7.0
_NAME_POINTS = 9.0
_UNITS = ((2 * 3600, 3600, "hours"), (120, 60, "minutes"), (0, 1, "seconds"))
_MARKS = {
    "hit": (BLUE, "|", 9.0),
    "detection": (BLUE, "|", 9.0),
    "missed": (VERMILION, "o", 5.0),
    "false alarm": (VERMILION, "x", 6.0),
}


@dataclass(frozen=True)
class TimelineRow:
    """One recording."""

    name: str
    seconds: float
    """Its length."""
    marks: Mapping[str, Sequence[float]]
    """Times in seconds, by what they are of: hit, detection, missed, false alarm."""


def draw_timeline(rows: Sequence[TimelineRow]) -> Figure:
    """Draw a line for each recording, the first one above.

    Returns:
        A figure 8 to 10 inches wide that grows with the number of recordings, up to 40 of them.
    """
    shown = rows[:MOST_LINES]
    longest = max(row.seconds for row in shown)
    divisor, unit = next((divisor, unit) for least, divisor, unit in _UNITS if longest >= least)
    names = [make_printable(row.name, most=30) for row in shown]
    left = 0.3 + max(text_inches(name, points=_NAME_POINTS) for name in names)
    height = _LINE_INCHES * len(shown)
    with use_style():
        figure = make_figure(left + _WIDTH + 0.3, height + 1.0)
        axes = add_axes(figure, left=left, bottom=0.5, width=_WIDTH, height=height)
        axes.hlines(range(len(shown)), 0, [row.seconds / divisor for row in shown], color=GRID, linewidth=5)
        for kind, (colour, marker, size) in _MARKS.items():
            places = [(time / divisor, at) for at, row in enumerate(shown) for time in row.marks.get(kind, ())]
            if places:
                fill = "none" if marker == "o" else colour
                axes.plot(
                    *zip(*places, strict=True),
                    linestyle="none",
                    marker=marker,
                    markersize=size,
                    markeredgewidth=1.4,
                    color=colour,
                    markerfacecolor=fill,
                    label=f"{kind} ({len(places):,})",
                )
        axes.set_yticks(range(len(shown)), names, fontsize=_NAME_POINTS)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlim(0, longest / divisor)
        rest = len(rows) - len(shown)
        axes.set_xlabel(unit + (f"; {counted(rest, 'recording is', 'recordings are')} not drawn" if rest else ""))
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        if axes.get_legend_handles_labels()[1]:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.4, handletextpad=0.3)
    return figure


def draw_latencies(latencies: Sequence[float], *, within_seconds: float) -> Figure:
    """Draw how long after their ends words were known, as a histogram with its median.

    Args:
        latencies: in seconds, at least one; below 0 where a word was known before it ended.
        within_seconds: the latest that counts as a hit.

    Returns:
        A figure of 6.4 x 2.6 inches.
    """
    ordered = sorted(latencies)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    first = min(0.0, ordered[0])
    bins = max(8, min(60, round((within_seconds - first) / 0.05)))
    with use_style():
        figure = make_figure(6.4, 2.6)
        axes = add_axes(figure, left=0.7, bottom=0.6, width=5.4, height=1.6)
        axes.hist(ordered, bins=bins, range=(first, max(within_seconds, ordered[-1])), color=BLUE)
        mark_value(axes, median, f"median {median:.2f} s", line=INK)
        axes.set(xlabel="from the end of the word to its detection (s)", ylabel="words")
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.grid(axis="y")
    return figure
