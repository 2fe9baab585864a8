"""`sayso export`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sayso.cli.console import Bars, say, warn
from sayso.errors import Fault, SettingsError
from sayso.system.wording import counted, in_shell

if TYPE_CHECKING:
    from sayso.delivery.c import CExport

__all__ = ["export"]


def export(
    model: Annotated[Path, typer.Argument(metavar="RUN_OR_MODEL", help="A run's folder or a model.onnx.")],
    web: Annotated[
        Path | None, typer.Option("--web", metavar="DIR", help="Folder for static files of a web page; new or empty.")
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Write the run's model as int8: smaller and faster, calibrated by its clips.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With --int8: where to; new or empty. By default RUN/int8.")
    ] = None,
    points_lost: Annotated[
        float | None,
        typer.Option(
            min=0, max=100, help="With --int8: points of accuracy that validation clips may cost; default: 0.5."
        ),
    ] = None,
    slower: Annotated[
        bool, typer.Option("--slower", help="With --int8: write it even where it is slower on this processor.")
    ] = False,
    c: Annotated[
        Path | None, typer.Option("--c", metavar="DIR", help="Folder for C source of a small board; new or empty.")
    ] = None,
    weights: Annotated[
        Literal["float", "int8"], typer.Option("--weights", help="With --c: int8 takes a quarter of the room.")
    ] = "float",
    names: Annotated[
        bool, typer.Option("--names", help="Keep people's names, paths and folders in model card and recipe.")
    ] = False,
) -> None:
    """Make a model ready for other places than Python.

    --web: a page to talk to it, and sayso.js for pages of your own.

    --int8: a model.onnx whose networks are in int8, read like any other, with what that costs and gains.

    --c: C99 source without dependencies, for small networks.

    MODEL_CARD.md and LICENSES/ go with each.
    """
    if web is None and c is None and not int8:
        what = "--web DIR a page, --int8 a smaller model, --c DIR C source"
        raise SettingsError([Fault("export", f"needs to know what to make: {what}")])
    if not int8 and (out or slower or points_lost is not None):
        raise typer.BadParameter("--out, --slower and --points-lost are about --int8")
    if c and web and c.resolve() == web.resolve():
        raise typer.BadParameter(f"--c and --web name one folder, {in_shell(c)}; each needs its own")
    if c is None and weights != "float":
        raise typer.BadParameter("--weights is about --c; a smaller model.onnx is --int8")
    if web is not None:
        _web(model, web, names=names)
    if int8:
        _int8(model, out, points_lost=points_lost, slower=slower, names=names)
    if c is not None:
        from sayso.delivery.c import export_c

        _tell_c(export_c(model, c, weights=weights, names=names))


def _web(model: Path, folder: Path, *, names: bool) -> None:
    from sayso.delivery.web import export_web

    done = export_web(model, folder, names=names)
    for note in done.notes:
        warn(f"note: {note}")
    say(f"page         {done.folder / 'index.html'}, {done.transferred_bytes / 1e6:.1f} MB at the first visit")
    say(f"try it       python -m http.server --directory {in_shell(done.folder)} --bind 127.0.0.1")


def _int8(model: Path, out: Path | None, *, points_lost: float | None, slower: bool, names: bool) -> None:
    from sayso.delivery.int8 import Int8Clips, check_int8, export_int8

    folder = out or (model if model.is_dir() else model.parent) / "int8"
    run = check_int8(model, folder)
    from sayso.experiment.fold_models import exported_folds
    from sayso.experiment.run import Run

    bars = Bars()
    prepared = Run.open(run.path).open_clips(bars)
    with exported_folds(run, prepared) as folds:
        clips = Int8Clips(prepared.corpus, prepared.split, folds)
        done = export_int8(run, folder, clips, points_lost=points_lost, slower=slower, names=names, progress=bars)
    _tell_int8(done.facts)
    for note in done.notes:
        say(f"note         {note}")
    say(f"model        {done.folder / 'model.onnx'}{', and stream.onnx' if done.streams else ''}")
    say(f"try it       sayso predict FILE.wav --model {in_shell(done.folder)}")


def _tell_int8(facts: Mapping[str, Any]) -> None:
    for key, what in (("validation", "validation"), ("left_out", "left out"), ("test", "test")):
        if row := facts.get(key):
            low, high = row["lost_ci95"]
            right = f"{100 * row['accuracy']['int8']:.2f} % of {counted(row['n'], 'clip')} right"
            lost = f"{100 * row['lost']:.2f} points lost (95 % interval {100 * low:.1f} to {100 * high:.1f})"
            say(f"{what:<12} {right}, {100 * row['accuracy']['float']:.2f} in float: {lost}")
    size, network, speed = facts["bytes"], facts["network_bytes"], facts["speed"]
    ratio = network["int8"] / network["float"]
    say(f"size         {size['int8'] / 1e6:.2f} MB, {size['float'] / 1e6:.2f} in float; its networks {ratio:.2f}x")
    file, part = speed["file"], speed["network"]
    faster = f"its networks {part['float'] / part['int8']:.1f}x as fast"
    say(f"speed        {file['int8']:.2f} ms a clip, {file['float']:.2f} in float; {faster}")
    say(f"             one thread of {speed['processor']}")


def _tell_c(done: "CExport") -> None:
    from sayso.delivery.c.measure import stack_limit

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
    make = f"make -C {in_shell(done.folder)} check"
    limit = measured and stack_limit(measured.stack_bytes)
    say(f"try it       {f'(ulimit -s {limit} && {make})' if limit else make}")
