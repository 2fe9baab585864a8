"""The page of a tuned run: what its thresholds cost, and for each word the curve that it was chosen on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sayso.system.files import write_text
from sayso.views.html import chart, write_page
from sayso.views.plots.alarms import draw_misses_by_alarms
from sayso.views.plots.style import svg_text

__all__ = ["write_tuning"]


def write_tuning(facts: Mapping[str, Any], folder: Path) -> Path:
    """Write `tuning.html`, and a figure a word into `figures/`, atomically.

    Args:
        facts: as `sayso tune --json` prints them.
        folder: of the run.

    Returns:
        The page.
    """
    test = facts["test"]
    pictures = {}
    for place, (word, rows) in enumerate(facts["curves"].items()):
        points = [(rate, missed) for _, rate, missed in rows if missed is not None]
        if not points:  # the word was never said
            continue
        own = test["per_word"][word]
        figure = draw_misses_by_alarms(
            points,
            (own["alarms"]["per_hour"], own["misses"]["rate"]),
            replayed_hours=test["replayed_hours"],
            independent_hours=test["independent_hours"],
            asked_per_hour=facts["false_alarms_per_hour"],
        )
        svg = svg_text(figure)
        write_text(folder / "figures" / f"tuning-{place}.svg", svg)
        described = f"Misses of {word} against its false alarms an hour; the table has the chosen point."
        pictures[word] = chart(f"tuning-{place}", svg, described)
    page = folder / "tuning.html"
    write_page(page, "tuning", title=folder.resolve().name, facts=facts, test=test, pictures=pictures)
    return page
