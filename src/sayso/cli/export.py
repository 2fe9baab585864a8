"""`sayso export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sayso.cli.console import say, warn
from sayso.errors import Fault, SettingsError

if TYPE_CHECKING:
    from sayso.delivery.c import CExport

__all__ = ["export"]


def export(
    model: Annotated[Path, typer.Argument(metavar="RUN_OR_MODEL", help="A run's folder or a model.onnx.")],
    web: Annotated[
        Path | None, typer.Option("--web", metavar="DIR", help="Folder for static files of a web page; new or empty.")
    ] = None,
    c: Annotated[
        Path | None, typer.Option("--c", metavar="DIR", help="Folder for C source of a small board; new or empty.")
    ] = None,
    weights: Annotated[
        Literal["float", "int8"], typer.Option("--weights", help="For --c: int8 takes a quarter of the room.")
    ] = "float",
    names: Annotated[
        bool, typer.Option("--names", help="Keep people's names, paths and folders in model card and recipe.")
    ] = False,
) -> None:
    """Make a model ready for other places than Python.

    --web: a page to talk to it, and sayso.js for pages of your own. --c: C99 source without dependencies, for small
    networks. MODEL_CARD.md and LICENSES/ go with each.
    """
    if web is None and c is None:
        raise SettingsError([Fault("export", "needs to know where to: --web DIR for a page, --c DIR for C source")])
    if web is not None:
        from sayso.delivery.web import export_web

        done = export_web(model, web, names=names)
        for note in done.notes:
            warn(f"note: {note}")
        say(f"page         {done.folder / 'index.html'}, {done.transferred_bytes / 1e6:.1f} MB at the first visit")
        say(f"try it       python -m http.server --directory {done.folder} --bind 127.0.0.1")
    if c is not None:
        from sayso.delivery.c import export_c

        _tell_c(export_c(model, c, weights=weights, names=names))


def _tell_c(done: "CExport") -> None:
    for note in done.notes:
        warn(f"note: {note}")
    program, measured = done.program, done.measured
    say(f"C            {done.folder / 'sayso.h'}, an answer every {done.hop_seconds:g} s")
    if program.multiply_adds is not None:
        say(f"work         {program.multiply_adds:,} multiply-adds an answer")
    if measured is None:
        say(f"constants    {program.constant_bytes / 1e3:.1f} kB")
        say(f"memory       {done.static_bytes / 1e3:.1f} kB, and some stack")
    else:
        stack = f"{measured.stack_bytes / 1e3:.1f} kB" if measured.stack_bytes is not None else "some"
        say(f"flash        {measured.flash_bytes / 1e3:.1f} kB, by this machine's compiler at -Os, libc left out")
        say(f"memory       {measured.static_bytes / 1e3:.1f} kB, and at most {stack} of stack")
        say(f"agrees       with {done.graph}: logits differ by {measured.max_abs_difference:.1g}")
    say(f"try it       make -C {done.folder} check")
