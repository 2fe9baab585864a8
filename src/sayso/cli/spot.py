"""`sayso spot`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.console import Bars, say, say_json, warn
from sayso.cli.detections import alarms_line, detection_rows, latency_line, misses_line, word_rows
from sayso.cli.stream_options import StreamOverrides, Threshold, ThresholdsOf, stream_settings
from sayso.errors import in_one_line
from sayso.system.wording import counted

if TYPE_CHECKING:
    from sayso.studies.spotting.result import Spotted, Spotting

__all__ = ["spot"]

_INTERRUPTED = 130
_WITHIN_SECONDS = 0.75


def spot(
    files: Annotated[list[Path], typer.Argument(help="Sound files of any length, and folders of such.")],
    model: Annotated[Path, typer.Option(help="A run's folder or a model.onnx.")],
    truth: Annotated[
        Path | None,
        typer.Option(
            help="What was said: a table (path, label, start, end), an Audacity label file, a folder of such."
        ),
    ] = None,
    within: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help=f"With --truth: how long after its end a word may be found.  [default: {_WITHIN_SECONDS:g}]",
        ),
    ] = None,
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="With --truth: labels that the model lacks are other speech.")
    ] = False,
    threshold: Threshold = None,
    thresholds_of: ThresholdsOf = None,
    settings: StreamOverrides = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for a page, with every error to hear, a timeline, and the JSON.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find words in long recordings, with their times.

    Files that cannot be read are named, and the exit code is 2 then. Ctrl-C keeps what was found.
    """
    if truth is None and (within is not None or ignore_unknown):
        raise typer.BadParameter("--within and --ignore-unknown are about what was said; give it by --truth")
    from sayso.runtime import Recognizer
    from sayso.studies.spotting.spot import spot as listen

    recognizer = Recognizer(model, threads=1)
    spotting = listen(
        files,
        recognizer,
        settings=stream_settings(recognizer, overrides=settings, threshold=threshold, thresholds_of=thresholds_of),
        truth=truth,
        ignore_unknown=ignore_unknown,
        within_seconds=_WITHIN_SECONDS if within is None else within,
        out=out,
        progress=Bars(),
        found=None if as_json else _show_file,
    )
    if as_json:
        say_json(spotting.facts())
    else:
        _show(spotting)
    for _, why in spotting.failed:
        warn(f"sayso: {why}")
    if spotting.is_stopped or spotting.failed:
        raise typer.Exit(_INTERRUPTED if spotting.is_stopped else 2)


def _show_file(spotted: "Spotted") -> None:
    for row in detection_rows(spotted):
        say(row)
    for remark in spotted.remarks:
        warn(f"note: {in_one_line(spotted.path)}: {remark}")


def _show(spotting: "Spotting") -> None:
    for note in spotting.notes:
        warn(f"note: {note}")
    if scores := spotting.scores:
        say(f"\nmissed        {misses_line(scores['misses'])}")
        say(f"false alarms  {alarms_line(scores['alarms'], scores['hours'])}")
        say(f"latency       {latency_line(scores['latency'])}\n")
        for row in word_rows(scores["per_word"]):
            say(row)
    else:
        many = counted(sum(len(one.detections) for one in spotting.files), "detection")
        say(f"\n{many} in {counted(len(spotting.files), 'file')}, {spotting.hours:.2f} h")
    if spotting.folder:
        say(f"\npage          {spotting.folder / 'spotting.html'}")
