"""`sayso evaluate`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from sayso.cli.console import Bars, say
from sayso.cli.results import show_scores

__all__ = ["evaluate"]

_NO_TEST = {
    "train": "clips it was trained on",
    "validation": "clips its weights were chosen by",
    "all": "clips it was trained on among them",
}


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    part: Annotated[
        Literal["test", "validation", "train", "all"], typer.Option("--split", help="Which part to score.")
    ] = "test",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a run's model again on its clips."""
    from sayso.experiment.run import Run
    from sayso.runs.manifest import split_label

    opened = Run.open(run)
    scores, manifest = opened.evaluate(part, progress=Bars()), opened.manifest()
    if as_json:
        facts = {key: manifest[key] for key in ("split", "speakers_shared") if key in manifest}
        say(json.dumps({part: scores} | facts, indent=2, ensure_ascii=False))
    else:
        # Of the other parts the model has seen clips or was chosen by them, whoever speaks there.
        label = split_label(manifest, scores.get("speakers")) if part == "test" else _NO_TEST[part]
        show_scores(scores, label)
