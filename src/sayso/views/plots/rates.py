"""The learning-rate search: loss against the rate."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from sayso.views.plots.style import BLUE, GRID, add_axes, make_figure, mark_value, use_style

__all__ = ["draw_loss_by_rate"]


def draw_loss_by_rate(
    rates: Sequence[float], losses: Sequence[float], smoothed: Sequence[float], *, suggestion: float
) -> Figure:
    """Draw a learning-rate search.

    Args:
        rates: learning rates, rising (a step's size, no unit).
        losses: loss of the batch at each rate (nats a clip).
        smoothed: the same as a moving average.
        suggestion: the rate to mark.

    Returns:
        A figure of 6.4 x 3.4 inches.
    """
    with use_style():
        figure = make_figure(6.4, 3.4)
        axes = add_axes(figure, left=0.8, bottom=0.6, width=5.2, height=2.2)
        axes.plot(rates, losses, color=GRID, linewidth=1.0, label="each batch")
        axes.plot(rates, smoothed, color=BLUE, label="smoothed")
        mark_value(axes, suggestion, f"suggested: {suggestion:.1e}")
        axes.set(xlabel="learning rate", ylabel="cross-entropy (nats)", xscale="log")
        axes.set_title("Learning-rate search", pad=18)
        axes.set_ylim(0, max(smoothed[0], min(smoothed)) * 1.6)
        axes.grid(axis="y")
        axes.legend(loc="lower left")
    return figure
