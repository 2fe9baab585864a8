"""A finished run in a few lines and one picture, for a notebook."""

import base64

from sayso.runs.folder import RunFolder
from sayso.views.figures.run import read_confusion
from sayso.views.html import render
from sayso.views.plots.confusion import draw_confusion_matrix
from sayso.views.plots.style import svg_text

__all__ = ["make_run_card"]


def make_run_card(run: RunFolder) -> str:
    """Make HTML that stands by itself: the score with its intervals, what limits it, notes, and the confusion matrix.

    Raises:
        RunError: the run has not finished, or a file of it is damaged.
    """
    metrics = run.metrics()
    picture = svg_text(draw_confusion_matrix(*read_confusion(metrics)))
    return render(
        "run-card",
        run=run,
        test=metrics["test"],
        label=run.split_label(),
        notes=run.manifest().get("notes") or [],
        picture=base64.b64encode(picture.encode()).decode(),
    )
