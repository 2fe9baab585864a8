"""Where the clips went: the alluvial plot, predictions on the left flowing into the true words on the right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.path import Path
from numpy.typing import NDArray

from sayso.system.wording import counted
from sayso.views.plots.layout import Canvas, Drawing, draw_alone
from sayso.views.plots.style import BLUE, INK, MUTED, VERMILION, make_printable, text_inches

__all__ = ["Flow", "draw_alluvial", "lay_out_flows", "make_alluvial_drawing"]

_LEAST_SHARE = 1 / 1000
_GAP_SHARE = 0.35  # of the height that a word has on average
_FLOW_INCHES = 3.4  # with its names it can be read on a telephone
_WORD_INCHES = 0.3
_HEIGHT_INCHES = (2.2, 9.0)  # least, most
_NODE = 0.025  # width of a word's bar, as a share of the way across
_FAINT = 0.22
_LEAST_MARGIN_INCHES = 0.9
_BESIDE_INCHES = 0.1  # between a heading and the names, of which the first may reach over its bar
_LINE_INCHES = 0.22


@dataclass(frozen=True)
class Flow:
    """The clips of one true word that were taken for one predicted word: a band between two bars."""

    predicted: int
    true: int
    count: int
    left_top: float
    """Where the band begins on the left, in clips from the top of the picture."""
    right_top: float
    """Where it ends on the right."""


def lay_out_flows(counts: NDArray[np.int64], *, gap: float = 0.0, least_share: float = _LEAST_SHARE) -> list[Flow]:
    """Lay out the bands: words from top to bottom in their order on both sides, bands of a word in the other's order.

    Args:
        counts: clips, (classes, classes), rows true, columns predicted.
        gap: space between words, in clips.
        least_share: pairs that hold a smaller share of all clips are left out; their room stays.

    Returns:
        Bands by predicted word, then by true word; each is `count` high at both ends.
    """
    left, right = counts.sum(axis=0), counts.sum(axis=1)
    left_bars, right_bars = _tops(left, gap), _tops(right, gap)
    least = least_share * counts.sum()
    left_within = np.cumsum(counts, axis=0) - counts  # of the same predicted word, true words before this one
    right_within = np.cumsum(counts, axis=1) - counts
    return [
        Flow(
            predicted=int(predicted),
            true=int(true),
            count=int(counts[true, predicted]),
            left_top=float(left_bars[predicted] + left_within[true, predicted]),
            right_top=float(right_bars[true] + right_within[true, predicted]),
        )
        for predicted, true in np.argwhere(counts.T > 0)
        if counts[true, predicted] >= least
    ]


def draw_alluvial(counts: NDArray[np.int64], labels: Sequence[str]) -> Figure:
    """Draw the alluvial plot: what was predicted on the left, what was said on the right.

    Bands are as high as the clips they hold. Those that are right run straight and pale; those that are wrong cross
    them in a strong vermilion, which is also the darker in grey. Pairs rarer than a thousandth of the clips are hidden;
    a line says how many.

    Args:
        counts: clips, int64 of shape (classes, classes), rows true, columns predicted.
        labels: the words, (classes,), in any script.

    Returns:
        A figure that grows with the number of words.
    """
    return draw_alone(make_alluvial_drawing(counts, labels))


def make_alluvial_drawing(counts: NDArray[np.int64], labels: Sequence[str]) -> Drawing:
    """Make what `draw_alluvial` draws, to be placed beside others."""
    names = [make_printable(label) for label in labels]
    height = float(np.clip(_WORD_INCHES * len(names), *_HEIGHT_INCHES))
    points = float(np.clip(height / max(1, len(names)) * 72 * 0.5, 6.5, 10.0))
    digits = len(f"{int(counts.sum()):,}")
    longest = max((text_inches(name, points=points) for name in names), default=0.0)
    margin = max(_LEAST_MARGIN_INCHES, longest + text_inches("0" * digits, points=points) + 0.3)

    def draw(canvas: Canvas) -> None:
        axes = canvas.axes(left=margin, bottom=0.4, width=_FLOW_INCHES, height=height)
        _fill(axes, counts, names, points=points, line=points * 1.2 / 72 / height)
        outside, over = margin / _FLOW_INCHES - 0.01, 1 + _BESIDE_INCHES / height
        axes.text(-outside, over, "predicted word (clips)", ha="left", va="bottom", transform=axes.transAxes)
        axes.text(1 + outside, over, "true word (clips)", ha="right", va="bottom", transform=axes.transAxes)
        keys = [Patch(color=BLUE, alpha=_FAINT, label="right"), Patch(color=VERMILION, label="wrong")]
        above = (0.5, over + _LINE_INCHES / height)
        axes.legend(handles=keys, ncols=2, loc="lower center", bbox_to_anchor=above, borderaxespad=0, fontsize=9)

    return Drawing(2 * margin + _FLOW_INCHES, height + 0.4 + _BESIDE_INCHES + 2 * _LINE_INCHES + 0.05, draw)


def _fill(axes: Axes, counts: NDArray[np.int64], names: Sequence[str], *, points: float, line: float) -> None:
    """Draw bands, bars and names; `line` is the height of a line of text as a share of the axes."""
    total = max(1, int(counts.sum()))
    gap = _GAP_SHARE * total / max(1, len(names))
    tall = total + gap * (len(names) - 1)
    bands = lay_out_flows(counts, gap=gap)
    right = [_band(flow) for flow in bands if flow.true == flow.predicted]
    wrong = [_band(flow) for flow in bands if flow.true != flow.predicted]
    axes.add_collection(PathCollection(right, facecolors=BLUE, edgecolors="none", alpha=_FAINT, gid="right"))
    # The edge keeps a band of one clip among thousands visible.
    axes.add_collection(
        PathCollection(wrong, facecolors=VERMILION, edgecolors=VERMILION, linewidths=0.7, alpha=0.75, gid="wrong")
    )
    for side, sums in ((0, counts.sum(axis=0)), (1, counts.sum(axis=1))):
        tops = _tops(sums, gap)
        for top, clips in zip(tops, sums, strict=True):
            axes.add_patch(Rectangle((side * (1 - _NODE), top), _NODE, clips, facecolor=INK, edgecolor="none"))
        middles = _spread(tops + sums / 2, line * tall)
        for name, clips, middle in zip(names, sums, middles, strict=True):
            text = f"{name} ({clips:,})"
            axes.text(
                side * 1.02 - (1 - side) * 0.02,
                middle,
                text,
                ha="left" if side else "right",
                va="center_baseline",
                fontsize=points,
            )
    axes.set(xlim=(0, 1), ylim=(tall, 0))
    axes.set_axis_off()
    axes.text(0.5, -0.02, _hidden(counts, bands), ha="center", va="top", transform=axes.transAxes, color=MUTED)


def _tops(sums: NDArray[np.int64], gap: float) -> NDArray[np.float64]:
    """Give the upper ends of the bars of one side."""
    return np.cumsum(sums) - sums + float(gap) * np.arange(len(sums))


def _band(flow: Flow) -> Path:
    left, right, half = _NODE, 1 - _NODE, 0.5
    top, bottom = (flow.left_top, flow.right_top), (flow.left_top + flow.count, flow.right_top + flow.count)
    corners = [(left, top[0]), (half, top[0]), (half, top[1]), (right, top[1])]
    corners += [(right, bottom[1]), (half, bottom[1]), (half, bottom[0]), (left, bottom[0]), (left, top[0])]
    curve = [Path.CURVE4] * 3
    return Path(corners, [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY])


def _spread(middles: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Push names apart that would stand over one another: downwards, then what went too far up again."""
    places = np.array(middles, dtype=np.float64)
    for index in range(1, len(places)):
        places[index] = max(places[index], places[index - 1] + least)
    end = max(middles[-1], least * (len(places) - 1)) if len(places) else 0.0
    for index in range(len(places) - 1, -1, -1):
        places[index] = min(places[index], end - least * (len(places) - 1 - index))
    return places


def _hidden(counts: NDArray[np.int64], bands: Sequence[Flow]) -> str:
    pairs = int((counts > 0).sum()) - len(bands)
    tested = counted(int(counts.sum()), "test clip")
    if not pairs:
        return f"{tested}; every pair is shown"
    clips = int(counts.sum()) - sum(flow.count for flow in bands)
    return f"{tested}; hidden, each rarer than a thousandth: {counted(pairs, 'pair')} of {counted(clips, 'clip')}"
