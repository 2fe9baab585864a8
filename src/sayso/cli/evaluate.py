"""`sayso evaluate`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from sayso.cli.console import Bars, say
from sayso.cli.results import show_scores

__all__ = ["evaluate"]


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    split: Annotated[Literal["test", "validation", "train", "all"], typer.Option(help="Which part to score.")] = "test",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a run's model again on its clips."""
    from sayso import experiment
    from sayso.runs import open_run

    scores = experiment.Run(open_run(run).path).evaluate(split, progress=Bars())
    if as_json:
        say(json.dumps({split: scores}, indent=2, ensure_ascii=False))
    else:
        show_scores(scores)
