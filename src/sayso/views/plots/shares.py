"""Axes of shares, such as accuracy: from 0 to 100 %, or from a round number that the axis names."""

from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

__all__ = ["set_share_axis"]

_BEGINNINGS = (0.9, 0.8, 0.5)
_ROOM = 0.012  # at either end, so that dots at 0 and 100 % are whole


def set_share_axis(axes: Axes, which: Literal["x", "y"], label: str, *, lowest: float = 0.0) -> None:
    """Give an axis the whole range of shares, 0 to 1, written in per cent.

    Args:
        axes: where.
        which: of its two.
        label: what the shares are of.
        lowest: the least share to be seen. Where small differences matter, an axis of shares that are all high begins
            at 50, 80 or 90 %, and its label says so.
    """
    begin = next((share for share in _BEGINNINGS if share + _ROOM <= lowest), 0.0)
    room = _ROOM * (1 - begin)
    axis, set_limits = (axes.xaxis, axes.set_xlim) if which == "x" else (axes.yaxis, axes.set_ylim)
    set_limits(begin - room, 1 + room)
    axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=None))
    axis.set_label_text(f"{label} (%{f', from {100 * begin:.0f}' if begin else ''})")
