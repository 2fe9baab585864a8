"""`sayso train`."""

from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.console import Bars, say
from sayso.cli.results import show_run

__all__ = ["train"]


def train(
    source: Annotated[
        str | None, typer.Argument(help="A recipe (YAML), a folder of clips by word, or a manifest (CSV, JSONL).")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key; may be repeated.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; new or empty.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with this stopped run instead.")] = None,
) -> None:
    """Train a recogniser, score it on clips it never saw, and leave report and model file."""
    if (source is None) == (resume is None):
        raise typer.BadParameter("give either a recipe or folder, or --resume RUN")
    if resume is not None and (settings or out):
        raise typer.BadParameter("--resume goes on with a run as it is; --set and --out do not fit it")
    from sayso import experiment

    if resume is not None:
        run = experiment.resume(resume, progress=Bars())
    else:
        run = experiment.train(source or "", overrides=settings or (), out=out, progress=Bars())
    show_run(run)
    say(f"report       {run.report}")
    say(f"model        {run.onnx}")
    say(f"try it       sayso predict FILE.wav --model {run.path}")
