"""Where a drawing stands: alone on its sheet, or beside others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sayso.views.plots.style import add_axes, make_figure, make_printable, use_style

__all__ = ["Canvas", "Drawing", "draw_alone", "draw_side_by_side"]

_GAP_INCHES = 0.35
_TITLE_INCHES = 0.4


@dataclass(frozen=True, eq=False)
class Canvas:
    """A part of a figure, measured in inches from its own lower left corner."""

    figure: Figure
    left_inches: float = 0.0
    bottom_inches: float = 0.0

    def axes(self, *, left: float, bottom: float, width: float, height: float) -> Axes:
        """Add axes at a place in inches."""
        return add_axes(
            self.figure, left=self.left_inches + left, bottom=self.bottom_inches + bottom, width=width, height=height
        )


@dataclass(frozen=True, eq=False)
class Drawing:
    """Something that can be drawn, and the room it takes."""

    width_inches: float
    height_inches: float
    draw: Callable[[Canvas], None]


def draw_alone(drawing: Drawing) -> Figure:
    """Draw on a sheet of its own."""
    with use_style():
        figure = make_figure(drawing.width_inches, drawing.height_inches)
        drawing.draw(Canvas(figure))
    return figure


def draw_side_by_side(drawings: Sequence[Drawing], titles: Sequence[str], *, same_scale: bool = False) -> Figure:
    """Draw several on one sheet from left to right, a title over each, their upper edges in line.

    Args:
        drawings: what to draw.
        titles: one for each.
        same_scale: give the first axes of all the same vertical range, then the second, and so on.
    """
    width = sum(drawing.width_inches for drawing in drawings) + _GAP_INCHES * (len(drawings) - 1)
    highest = max(drawing.height_inches for drawing in drawings)
    groups: list[list[Axes]] = []
    with use_style():
        figure = make_figure(width, highest + _TITLE_INCHES)
        left = 0.0
        for drawing, title in zip(drawings, titles, strict=True):
            before = len(figure.axes)
            drawing.draw(Canvas(figure, left, highest - drawing.height_inches))
            groups.append(figure.axes[before:])
            across, up = (left + 0.1) / width, (highest + 0.12) / (highest + _TITLE_INCHES)
            figure.text(across, up, make_printable(title, most=60), fontsize=12, fontweight="bold", va="bottom")
            left += drawing.width_inches + _GAP_INCHES
    if same_scale:
        for alike in zip(*groups, strict=True):
            limits = [axes.get_ylim() for axes in alike]
            for axes in alike:
                axes.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
    return figure
