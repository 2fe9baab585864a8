"""`sayso card`."""

from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.console import say

__all__ = ["card"]


def card(
    model: Annotated[Path, typer.Argument(metavar="RUN_OR_MODEL", help="A run's folder or a model.onnx.")],
    names: Annotated[
        bool, typer.Option("--names", help="With people's names, paths, folders and notes; of a run's folder alone.")
    ] = False,
) -> None:
    """Print what a reader must know of a model.

    Data and licences, split, scores with intervals, false accepts, limits, the command that made it; as Markdown.
    """
    from sayso.delivery.card import find_card

    say(find_card(model, names=names).rstrip("\n"))
