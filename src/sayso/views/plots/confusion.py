"""Which word was taken for which: the confusion matrix."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from sayso.views.plots.layout import Canvas, Drawing, draw_alone
from sayso.views.plots.style import BLUE, GRID, INK, VERMILION, make_printable, text_inches

__all__ = ["draw_confusion_matrix", "make_confusion_drawing"]

_MOST_WITH_COUNTS = 20
_GRID_INCHES = 7.2
_CELL_INCHES = (0.12, 0.46)  # least, most
# Where the script of a report's page finds the grid.
_CELLS_ID = "cells"
_FAINTEST = 0.1  # of a cell that holds anything, and the root of its share on top: one clip in a hundred must be seen


def draw_confusion_matrix(counts: NDArray[np.int64], labels: Sequence[str], *, shares: bool = False) -> Figure:
    """Draw a confusion matrix: a row for each true word, a column for each predicted one.

    Blue on the diagonal is right, vermilion beside it wrong; the stronger, the larger the share of that row. The counts
    stand in the cells up to 20 words. Colours are see-through, so they serve on light and dark pages alike.

    Args:
        counts: clips, int64 of shape (classes, classes), rows true, columns predicted.
        labels: the words, (classes,), in any script.
        shares: write shares of the row in per cent instead of counts.

    Returns:
        A figure that grows with the number of words, from about 4 inches.
    """
    return draw_alone(make_confusion_drawing(counts, labels, shares=shares))


def make_confusion_drawing(counts: NDArray[np.int64], labels: Sequence[str], *, shares: bool = False) -> Drawing:
    """Make what `draw_confusion_matrix` draws, to be placed beside others."""
    names = [make_printable(label) for label in labels]
    classes = len(names)
    cell = float(np.clip(_GRID_INCHES / max(1, classes), *_CELL_INCHES))
    points = float(np.clip(cell * 72 * 0.6, 5.0, 10.0))
    longest = max((text_inches(name, points=points) for name in names), default=0.0)
    upright = longest > cell * 0.95
    side = max(cell * classes, 1.8)
    left = longest + 0.55
    bottom = (longest if upright else points / 72) + 0.5

    def draw(canvas: Canvas) -> None:
        axes = canvas.axes(left=left, bottom=bottom, width=side, height=side)
        _cells(axes, counts, points, shares=shares)
        unit = "" if classes > _MOST_WITH_COUNTS else " (% of row)" if shares else " (clips)"
        axes.set(xlim=(-0.5, classes - 0.5), ylim=(classes - 0.5, -0.5))
        axes.set(xlabel=f"predicted word{unit}", ylabel="true word")
        axes.set_xticks(range(classes), names, fontsize=points)
        if upright:  # anchored at their ends, so that a reader's wider or narrower font still ends at the cells
            for name in axes.get_xticklabels():
                name.set(rotation=90, rotation_mode="anchor", ha="right", va="center")
        axes.set_yticks(range(classes), names, fontsize=points)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        keys = [Patch(color=BLUE, label="right"), Patch(color=VERMILION, label="wrong")]
        axes.legend(handles=keys, ncols=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, fontsize=9)

    return Drawing(left + side + 0.2, bottom + side + 0.4, draw)


def _cells(axes: Axes, counts: NDArray[np.int64], points: float, *, shares: bool) -> None:
    classes = len(counts)
    parts = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    filled = [(int(row), int(column)) for row, column in np.argwhere(counts)]
    squares = [Rectangle((column - 0.47, row - 0.47), 0.94, 0.94) for row, column in filled]
    colours = [_colour(row == column, float(parts[row, column])) for row, column in filled]
    axes.hlines(np.arange(classes + 1) - 0.5, -0.5, classes - 0.5, colors=GRID, linewidths=0.4, gid=_CELLS_ID)
    axes.vlines(np.arange(classes + 1) - 0.5, -0.5, classes - 0.5, colors=GRID, linewidths=0.4)
    axes.add_collection(PatchCollection(squares, facecolors=colours, edgecolors="none"))
    if classes > _MOST_WITH_COUNTS:
        return
    for row, column in filled:
        text = _percent(float(parts[row, column])) if shares else str(int(counts[row, column]))
        size = min(points, points * 3.6 / len(text))
        ink = "white" if parts[row, column] > 0.5 else INK
        axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=size)


def _percent(share: float) -> str:
    """Write a share in per cent, whole; only all of it is 100, and what is less than a half is said so."""
    if share < 0.005:
        return "<1"
    return ">99" if 0.995 <= share < 1 else f"{100 * share:.0f}"


def _colour(right: bool, share: float) -> tuple[float, float, float, float]:
    red, green, blue, _ = to_rgba(BLUE if right else VERMILION)
    return red, green, blue, round(_FAINTEST + (1 - _FAINTEST) * math.sqrt(share), 3)
