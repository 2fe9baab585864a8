"""How training went: loss, accuracy and learning rate by epoch."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from sayso.views.plots.layout import Canvas, Drawing, draw_alone
from sayso.views.plots.shares import set_share_axis
from sayso.views.plots.style import BLUE, VERMILION, add_axes, make_figure, make_printable, mark_value, use_style

__all__ = ["draw_learning_rate", "draw_loss_and_accuracy", "make_loss_and_accuracy_drawing"]

# Line style and marker tell the two apart where colour does not.
_LINES = {"train": (BLUE, "-", "o"), "validation": (VERMILION, "--", "s")}
_MOST_MARKERS = 30


def draw_loss_and_accuracy(log: Sequence[Mapping[str, Any]], *, best_epoch: int | None = None) -> Figure:
    """Draw loss and accuracy by epoch, one panel each, for the training and (where there is one) the validation part.

    Args:
        log: rows of `log.csv`: epoch (int), set ("train" or "validation"), loss (nats a clip), accuracy (0 to 1); more
            keys are passed over, missing values leave a gap.
        best_epoch: the epoch whose weights were kept; marked when given.

    Returns:
        A figure of 9 x 3.2 inches.
    """
    return draw_alone(make_loss_and_accuracy_drawing(log, best_epoch=best_epoch))


def make_loss_and_accuracy_drawing(log: Sequence[Mapping[str, Any]], *, best_epoch: int | None = None) -> Drawing:
    """Make what `draw_loss_and_accuracy` draws, to be placed beside others."""

    def draw(canvas: Canvas) -> None:
        loss = canvas.axes(left=0.65, bottom=0.55, width=3.0, height=2.2)
        accuracy = canvas.axes(left=4.5, bottom=0.55, width=3.0, height=2.2)
        for axes, key in ((loss, "loss"), (accuracy, "accuracy")):
            _panel(axes, log, key)
            _mark(axes, best_epoch)
        loss.set(title="Loss", ylabel="cross-entropy (nats)")
        loss.set_ylim(bottom=0)
        accuracy.set(title="Accuracy")
        set_share_axis(accuracy, "y", "clips recognised")
        if log:
            accuracy.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))  # beside the curves, never over them

    return Drawing(9.0, 3.2, draw)


def draw_learning_rate(logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Draw the learning rate at the end of each epoch, one line a run.

    Args:
        logs: name of a run to rows of its `log.csv`: epoch, set, learning_rate (a step's size, no unit).

    Returns:
        A figure of 6.4 x 3.2 inches.
    """
    with use_style():
        figure = make_figure(6.4, 3.2)
        axes = add_axes(figure, left=0.9, bottom=0.55, width=5.2, height=2.2)
        styles = list(_LINES.values())
        for index, (name, log) in enumerate(logs.items()):
            rows = sorted((row for row in log if row["set"] == "train"), key=lambda row: row["epoch"])
            rates = [math.nan if row.get("learning_rate") is None else float(row["learning_rate"]) for row in rows]
            colour, line, marker = styles[index % len(styles)]
            shown = marker if len(rows) <= _MOST_MARKERS else ""
            epochs = [row["epoch"] for row in rows]
            axes.plot(
                epochs, rates, color=colour, linestyle=line, marker=shown, markersize=3.5, label=make_printable(name)
            )
        axes.set(title="Learning rate", xlabel="epoch", ylabel="learning rate (end of epoch)")
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(axis="y")
        if len(logs) > 1:
            axes.legend(loc="best")
    return figure


def _panel(axes: Axes, log: Sequence[Mapping[str, Any]], key: str) -> None:
    for part, (colour, line, marker) in _LINES.items():
        rows = sorted((row for row in log if row["set"] == part), key=lambda row: row["epoch"])
        if not rows:
            continue
        values = [math.nan if row.get(key) is None else float(row[key]) for row in rows]
        shown = marker if len(rows) <= _MOST_MARKERS else ""
        epochs = [row["epoch"] for row in rows]
        axes.plot(epochs, values, color=colour, linestyle=line, marker=shown, markersize=3.5, label=part)
    axes.set_xlabel("epoch")
    axes.grid(axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if log:
        epochs = [row["epoch"] for row in log]
        axes.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)


def _mark(axes: Axes, best_epoch: int | None) -> None:
    if best_epoch is None:
        return
    mark_value(axes, best_epoch, f"kept: {best_epoch}")
