"""The page of a background curve: its answer first, then the curve and its numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sayso.system.files import write_text
from sayso.views.html import chart, write_page
from sayso.views.plots.alarms import draw_alarms_by_minutes
from sayso.views.plots.style import svg_text

__all__ = ["write_background_curve"]


def write_background_curve(table: Mapping[str, Any], folder: Path) -> Path:
    """Write `background-curve.html` and `alarms.svg`, atomically.

    Args:
        table: as `background-curve.json` holds it.
        folder: of the curve.

    Returns:
        The page.
    """
    points = [(point["minutes"], point["alarms_per_hour"], *point["ci95"]) for point in table["points"]]
    svg = svg_text(draw_alarms_by_minutes(points, [tuple(place) for place in table["band"]]))
    write_text(folder / "alarms.svg", svg)
    picture = chart("alarms", svg, "False alarms an hour against minutes of background; the table has the numbers.")
    page = folder / "background-curve.html"
    write_page(page, "background-curve", title=table["recipe"], table=table, picture=picture)
    return page
