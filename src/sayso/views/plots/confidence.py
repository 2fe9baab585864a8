"""What confidence is worth: whether it is true, what it buys, and whether it tells unknown words."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from sayso.system.wording import percent
from sayso.views.plots.style import BLUE, MUTED, VERMILION, add_axes, make_figure, use_style

__all__ = ["draw_false_accepts", "draw_reliability_diagram", "draw_risk_coverage_curve"]

_SIDE = 3.0
_LARGEST_POINTS, _SMALLEST_POINTS = 11.0, 3.0
Points = Sequence[Mapping[str, Any]]


def draw_reliability_diagram(rows: Points, *, before: Points = ()) -> Figure:
    """Draw the share that was right against the stated confidence; on the diagonal both are the same.

    Args:
        rows: bins of confidence as `sayso.metrics.calibration.reliability` gives them; a larger dot holds more clips.
        before: the same without the temperature, drawn as open squares when given.

    Returns:
        A figure of 6.4 x 4 inches.
    """
    with use_style():
        figure, axes = _square("Reliability")
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle=":", linewidth=1.2, label="as it should be")
        if before:
            square: dict[str, Any] = {"marker": "s", "markerfacecolor": "none", "markeredgewidth": 1.3}
            _dots(axes, before, VERMILION, "before calibration", linestyle="--", **square)
        _dots(axes, rows, BLUE, "calibrated" if before else "stated", linestyle="-", marker="o")
        axes.set(xlabel="probability of the answer (%)", ylabel="answers that were right (%)")
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(-0.03, 1.03)
        legend = axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0))
        for handle in legend.legend_handles:
            if handle is not None and hasattr(handle, "set_markersize"):
                handle.set_markersize(6)  # pyright: ignore[reportAttributeAccessIssue]
    return figure


def draw_risk_coverage_curve(scores: Mapping[str, Any]) -> Figure:
    """Draw the share of wrong answers against the share of clips that are answered, the surest first.

    Args:
        scores: as `sayso.metrics.rejection.risk_coverage` gives them.

    Returns:
        A figure of 6.4 x 4 inches.
    """
    with use_style():
        figure, axes = _square("Risk against coverage")
        coverage, risk = [[row[column] for row in scores["curve"]] for column in (0, 1)]
        axes.plot(coverage, risk, color=BLUE)
        at_risk = scores["coverage_at_1_percent_risk"]
        most = max(0.02, *risk)
        axes.axhline(0.01, color=MUTED, linestyle=":", linewidth=1.2)
        if at_risk > 0:
            axes.plot([at_risk, at_risk], [0, 0.01], color=VERMILION, linestyle="--", linewidth=1.4)
            _beside(axes, f"1 % wrong at\n{percent(at_risk)} answered")
        axes.set(xlabel="clips answered, the surest first (%)", ylabel="of these answers wrong (%)")
        axes.set_xlim(0, 1.01)
        axes.set_ylim(0, 1.08 * most)
    return figure


def draw_false_accepts(scores: Mapping[str, Any]) -> Figure:
    """Draw how many clips of unknown words are answered against how many of known words are turned away.

    Args:
        scores: as `sayso.metrics.rejection.rejection` gives them.

    Returns:
        A figure of 6.4 x 4 inches.
    """
    with use_style():
        figure, axes = _square("Unknown words")
        rejected, accepted = [[row[column] for row in scores["curve"]] for column in (0, 1)]
        axes.plot(rejected, accepted, color=BLUE)
        turned_away, let_in = scores["false_reject"]["rate"], scores["false_accept"]["rate"]
        axes.plot(turned_away, let_in, color=VERMILION, marker="o", markersize=6, clip_on=False)
        said = f"at the threshold:\n{percent(turned_away)} of known words\nturned away,\n"
        said += f"{percent(let_in)} of others let in"
        _beside(axes, said)
        axes.set(xlabel="clips of known words rejected (%)", ylabel="clips of other words accepted (%)")
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.01)
    return figure


def _square(title: str) -> tuple[Figure, Axes]:
    figure = make_figure(6.4, 4.0)
    axes = add_axes(figure, left=0.75, bottom=0.6, width=_SIDE, height=_SIDE)
    axes.set_title(title)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, symbol=None))
    axes.grid()
    return figure, axes


def _beside(axes: Axes, said: str) -> None:
    axes.text(1.04, 0.98, said, transform=axes.transAxes, va="top", fontsize=9)


def _dots(axes: Axes, rows: Points, colour: str, name: str, *, linestyle: str, **marker: Any) -> None:
    """Join the bins, each with a dot whose area grows with its clips."""
    most = max((row["n"] for row in rows), default=1)
    places = [(row["confidence"], row["accuracy"], row["n"]) for row in rows]
    axes.plot(
        [at for at, _, _ in places], [up for _, up, _ in places], color=colour, linestyle=linestyle, linewidth=1.2
    )
    for index, (at, up, clips) in enumerate(places):
        size = max(_SMALLEST_POINTS, _LARGEST_POINTS * (clips / most) ** 0.5)
        label = name if index == 0 else None
        axes.plot([at], [up], color=colour, linestyle="", markersize=size, label=label, **marker)
