"""`sayso verify`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.console import Bars, say, say_json

__all__ = ["verify"]

_WORDS = {True: "holds", False: "FAILS", None: "cannot be told"}


def verify(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compute a run's hashes and scores anew; say what holds.

    The exit code is 1 unless all of it does.
    """
    from sayso.studies.verification.verify import verify as checked

    checks = checked(run, progress=Bars())
    if as_json:
        say_json([asdict(check) for check in checks])
    else:
        for check in checks:
            say(f"{check.name:<12} {_WORDS[check.holds]:<15} {check.detail}")
    if not all(check.holds for check in checks):
        raise typer.Exit(1)
