"""`sayso export`."""

from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.console import say, warn

__all__ = ["export"]


def export(
    model: Annotated[Path, typer.Argument(metavar="RUN_OR_MODEL", help="A run's folder or a model.onnx.")],
    web: Annotated[
        Path, typer.Option("--web", metavar="DIR", help="Folder for static files of a web page; new or empty.")
    ],
    names: Annotated[
        bool, typer.Option("--names", help="Keep people's names, paths and folders in model card and recipe.")
    ] = False,
) -> None:
    """Make a model ready for other places than Python.

    --web: a page to talk to it, and sayso.js for pages of your own. MODEL_CARD.md and LICENSES/ go with it.
    """
    from sayso.delivery.web import export_web

    done = export_web(model, web, names=names)
    for note in done.notes:
        warn(f"note: {note}")
    say(f"page         {done.folder / 'index.html'}, {done.transferred_bytes / 1e6:.1f} MB at the first visit")
    say(f"try it       python -m http.server --directory {done.folder} --bind 127.0.0.1")
