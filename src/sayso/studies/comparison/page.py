"""The page of a comparison: its ranking, its verdicts, and a picture of accuracy against cost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sayso.data.listed_clips import write_listed_clips
from sayso.studies.comparison.clips import ComparedClips
from sayso.system.files import write_text
from sayso.views.html import chart, write_page
from sayso.views.plots.style import svg_text
from sayso.views.plots.tradeoff import draw_accuracy_against_cost

__all__ = ["write_comparison"]

_COSTS = {
    "parameters": "parameters",
    "multiply_adds": "multiply-adds an answer",
    "milliseconds_an_answer": "ms an answer",
}
_DESCRIPTION = (
    "Accuracy of each recipe against its parameters, multiply-adds and milliseconds; the table has the numbers."
)


def write_comparison(table: Mapping[str, Any], folder: Path, compared: ComparedClips | None = None) -> Path:
    """Write `comparison.html`, which clips it lists, and `accuracy-against-cost.svg`, each atomically.

    Args:
        table: as `comparison.json` holds it.
        folder: of the comparison.
        compared: the clips and their answers, so that they can be listed and marked; None: they cannot.

    Returns:
        The page.
    """
    rows = [row | table["measured"][row["recipe"]] for row in table["recipes"]]
    svg = svg_text(draw_accuracy_against_cost(rows, _COSTS))
    page, figure = folder / "comparison.html", folder / "accuracy-against-cost.svg"
    write_text(figure, svg)
    picture = chart("cost", svg, _DESCRIPTION)
    judged = any(pair["verdict"] != "no verdict" for pair in table["pairs"])
    page_clips, pictures = compared.describe() if compared else (None, {})
    answers = [
        (one["by"], chart(one["figure"], pictures[one["figure"]], f"Confusion matrix of {one['by']}."))
        for one in (page_clips["answers"] if page_clips else ())
    ]
    values: dict[str, Any] = {
        "table": table,
        "rows": rows,
        "rivals": _rivals(table, rows),
        "judged": judged,
        "picture": picture,
    }
    values |= {"page_clips": page_clips, "answers": answers, "of_runs": table.get("of_runs", False)}
    if compared:
        values["clip_licences"] = compared.licences
        write_listed_clips(folder, compared.listed)
    write_page(page, "comparison", title=folder.resolve().name, **values)
    return page


def _rivals(table: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Give the recipes that the first one was not found better than: while there are any, nobody has won."""
    first = rows[0]["recipe"]
    beaten = {pair["second"] for pair in table["pairs"] if pair["first"] == first and pair["verdict"] == "better"}
    return [row for row in rows[1:] if row["recipe"] not in beaten]
