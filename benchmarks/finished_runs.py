"""Finished runs that are given to a script, with the clips of one of their parts."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from sayso.data.corpus import Rows
from sayso.experiment.run import Run
from sayso.recipe.prepared import Prepared
from sayso.system.progress import Progress

__all__ = ["finished_runs"]


def finished_runs(description: str | None) -> Iterator[tuple[Run, Prepared, Rows]]:
    """Yield each run of the command line, its clips, and the rows of its validation part, or of the one asked for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("runs", nargs="+", type=Path, help="finished runs whose clips are here")
    parser.add_argument("--part", choices=("validation", "test"), default="validation")
    options = parser.parse_args()
    for run in map(Run.open, options.runs):
        prepared = run.open_clips(Progress())
        yield run, prepared, prepared.rows(options.part)
