"""`sayso runs`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.console import confirm, say

if TYPE_CHECKING:
    from sayso.runs.folder import RunFolder

__all__ = ["app"]

app = typer.Typer(help="List and remove runs.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_() -> None:
    """Every run below ./runs, oldest first, with its test accuracy."""
    from sayso.runs.folder import list_runs

    found = list_runs(Path("runs"))
    if not found:
        say("no runs in ./runs yet; train one with: sayso train RECIPE_OR_FOLDER")
    for run in found:
        say(f"{run.path}  {_state(run)}")


@app.command()
def remove(
    paths: Annotated[list[Path], typer.Argument(help="Folders of runs.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove runs with all that is in them."""
    from sayso.runs.folder import RunFolder, remove_run

    found = {os.path.abspath(path): RunFolder.open(path) for path in paths}  # noqa: PTH100 - links stay links
    for run in found.values():
        if yes or confirm(f"remove {run.path}?"):
            remove_run(run)
            say(f"removed {run.path}")


def _state(run: "RunFolder") -> str:
    from sayso.errors import RunError
    from sayso.runs.manifest import put_beside
    from sayso.system.wording import counted, in_shell, percent

    try:
        if not run.finished:
            if run.weights.is_file() and not run.manifest_file.is_file():
                return "lost its manifest.json; bring it back"
            return f"unfinished; sayso train --resume {in_shell(run.path)}"
        metrics = run.metrics()
    except RunError:
        return f"damaged; sayso runs remove {in_shell(run.path)}"
    label = run.split_label()
    score = f"{percent(metrics['test']['accuracy'])} of {counted(metrics['test']['n'], 'test clip')}"
    return put_beside(score, label)
