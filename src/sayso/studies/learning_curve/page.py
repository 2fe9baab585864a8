"""The page of a learning curve: its answers first, then each curve with its figure and its numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sayso.runs.manifest import split_label
from sayso.studies.learning_curve.draws import DRAWS
from sayso.studies.learning_curve.verdict import FURTHEST
from sayso.system.files import write_text
from sayso.views.html import chart, write_page
from sayso.views.plots.learning import draw_accuracy_by_size
from sayso.views.plots.style import svg_text

__all__ = ["write_learning_curve"]


def write_learning_curve(table: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """Write `learning-curve.html` and a figure an axis, such as `speakers.svg`, atomically.

    Args:
        table: as `learning-curve.json` holds it.
        folder: of the curves.

    Returns:
        The page and the figures.
    """
    pictures = {}
    figures: list[Path] = []
    for axis in table["axes"]:
        points = [(point["mean_size"], point["accuracy"], *point["ci95"]) for point in axis["points"]]
        band = [(size, 1 - error, 1 - high, 1 - low) for size, error, low, high in axis["band"]]
        svg = svg_text(draw_accuracy_by_size(points, band, unit=axis["unit"]))
        figures.append(folder / f"{axis['axis']}.svg")
        write_text(figures[-1], svg)
        described = f"Accuracy against training {axis['unit']}; the table has the numbers."
        pictures[axis["axis"]] = chart(axis["axis"], svg, described)
    page = folder / "learning-curve.html"
    label = split_label(table, table["test_speakers"])
    values = {"pictures": pictures, "draws": DRAWS, "furthest": FURTHEST, "label": label}
    write_page(page, "learning-curve", title=table["recipe"], table=table, **values)
    return page, *figures
