"""`sayso export`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from sayso.cli.console import Bars, say, warn
from sayso.system.wording import counted

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
        float, typer.Option(min=0, max=100, help="With --int8: points of accuracy that validation clips may cost.")
    ] = 0.5,
    slower: Annotated[
        bool, typer.Option("--slower", help="With --int8: write it even where it is slower on this processor.")
    ] = False,
    names: Annotated[
        bool, typer.Option("--names", help="Keep people's names, paths and folders in model card and recipe.")
    ] = False,
) -> None:
    """Make a model ready for other places than Python.

    --web: a page to talk to it, and sayso.js for pages of your own.

    --int8: a model.onnx whose networks are in int8, read like any other, with what that costs and gains.

    MODEL_CARD.md and LICENSES/ go with each.
    """
    if (web is None) == (not int8):
        raise typer.BadParameter("say what to make: --web DIR for a page, or --int8 for a smaller model")
    if int8:
        _int8(model, out, points_lost=points_lost, slower=slower, names=names)
        return
    assert web is not None
    if out or slower:
        raise typer.BadParameter("--out and --slower are about --int8")
    from sayso.delivery.web import export_web

    done = export_web(model, web, names=names)
    for note in done.notes:
        warn(f"note: {note}")
    say(f"page         {done.folder / 'index.html'}, {done.transferred_bytes / 1e6:.1f} MB at the first visit")
    say(f"try it       python -m http.server --directory {done.folder} --bind 127.0.0.1")


def _int8(model: Path, out: Path | None, *, points_lost: float, slower: bool, names: bool) -> None:
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
    _show(done.facts)
    for note in done.notes:
        say(f"note         {note}")
    say(f"model        {done.folder / 'model.onnx'}{', and stream.onnx' if done.streams else ''}")
    say(f"try it       sayso predict FILE.wav --model {done.folder}")


def _show(facts: Mapping[str, Any]) -> None:
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
