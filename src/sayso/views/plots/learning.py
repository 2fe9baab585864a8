"""A learning curve: accuracy against how much was trained on."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from sayso.views.plots.shares import set_share_axis
from sayso.views.plots.style import BLUE, MUTED, add_axes, make_figure, use_style

__all__ = ["draw_accuracy_by_size", "draw_by_size"]


def draw_accuracy_by_size(
    points: Sequence[tuple[float, float, float, float]],
    band: Sequence[tuple[float, float, float, float]],
    *,
    unit: str,
) -> Figure:
    """Draw the accuracy at each size with its interval, and the curve through them with its band.

    Args:
        points: size, accuracy, lower and upper limit of each size trained at, rising; accuracies 0 to 1.
        band: the same along the curve; empty where none was fitted. What lies beyond the last point is dashed.
        unit: what the sizes count, in the plural.

    Returns:
        A figure of 6.4 x 3.6 inches.
    """
    with use_style():
        figure, axes = draw_by_size(points, band, label=f"training {unit}")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        set_share_axis(axes, "y", "test clips recognised", lowest=min(low for _, _, low, _ in (*points, *band)))
    return figure


def draw_by_size(
    points: Sequence[tuple[float, float, float, float]],
    band: Sequence[tuple[float, float, float, float]],
    *,
    label: str,
) -> tuple[Figure, Axes]:
    """Draw what was measured at each size with its interval, and the curve through it with its band.

    Args:
        points: size, value, lower and upper limit of each size, rising.
        band: the same along the curve; empty where none was fitted. What lies beyond the last point is dashed.
        label: of the sizes' axis.

    Returns:
        A figure of 6.4 x 3.6 inches, and its axes.
    """
    figure = make_figure(6.4, 3.6)
    axes = add_axes(figure, left=0.75, bottom=0.6, width=5.4, height=2.6)
    last = points[-1][0]
    if band:
        sizes, curve, lows, highs = (list(column) for column in zip(*band, strict=True))
        axes.fill_between(sizes, lows, highs, color=BLUE, alpha=0.15, linewidth=0)
        seen = sum(size <= last for size in sizes)
        axes.plot(sizes[:seen], curve[:seen], color=BLUE)
        axes.plot(sizes[seen - 1 :], curve[seen - 1 :], color=BLUE, linestyle="--")
        axes.axvline(last, color=MUTED, linestyle=":", linewidth=1.2)
    for size, value, low, high in points:
        axes.plot([size, size], [low, high], color=BLUE, linewidth=1.6, alpha=0.45)
        axes.plot([size], [value], color=BLUE, marker="o", markersize=5)
    shown = [size for size, *_ in points] + ([2 * last] if band else [])
    axes.set(xscale="log", xlabel=label)
    axes.set_xlim(points[0][0] / 1.15, shown[-1] * 1.15)
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y")
    return figure, axes
