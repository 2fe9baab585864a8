"""Options of the commands that train trials, `compare` and `learning-curve`."""

from typing import Annotated

import typer

__all__ = ["Cluster", "Jobs", "Threads"]

Jobs = Annotated[int, typer.Option(help="Trials at a time on this machine.")]
Cluster = Annotated[
    str, typer.Option(metavar="ray[://ADDRESS]", help="Train on a Ray cluster instead of this machine alone.")
]
Threads = Annotated[int, typer.Option(help="Threads of each trial; they change the last bits, --jobs does not.")]
