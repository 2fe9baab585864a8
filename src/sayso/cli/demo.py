"""`sayso demo`."""

from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.console import Bars, say
from sayso.cli.results import score_line
from sayso.system.wording import percent

__all__ = ["demo"]


def demo(out: Annotated[Path | None, typer.Option(help="Folder of the run; new or empty.")] = None) -> None:
    """Show the whole way without recordings.

    Synthetic voices are spoken, trained on, scored, recognised.
    """
    from sayso.studies.demo import demonstrate

    shown = demonstrate(out=out, progress=Bars())
    manifest, metrics = shown.run.manifest(), shown.run.metrics()
    say(f"training          {manifest['training_seconds']:.0f} s on {manifest['clips']['train']} synthetic clips")
    say(
        f"synthetic voices  {score_line(metrics['test'], shown.run.split_label())}, from voices never heard in training"
    )
    if shown.fsdd:
        say(f"real voices       {score_line(shown.fsdd)}, all of FSDD, none of it trained on")
    else:
        say("real voices       not scored: FSDD is not at hand; fetch it with `sayso data get fsdd`, or set SAYSO_DATA")
    for text, answer in shown.spoken:
        say(f"spoken '{text}'".ljust(18) + f"recognised as {answer.label} ({percent(answer.probability, digits=0)})")
    say(f"report            {shown.run.report}")
    say(f"model             {shown.run.onnx}")
