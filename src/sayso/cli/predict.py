"""`sayso predict`."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.archive import show_archived, show_failed
from sayso.cli.console import Bars, say, say_json, warn
from sayso.cli.stream_options import StreamOverrides, Threshold, ThresholdsOf, stream_settings
from sayso.system.wording import percent

if TYPE_CHECKING:
    from sayso.runtime import Prediction, Recognizer
    from sayso.studies.executors.ray_cluster import RayCluster

__all__ = ["predict"]


def predict(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Sound files; with --out also folders, patterns in quotes, and lists of paths, a line each."
        ),
    ],
    model: Annotated[Path, typer.Option(help="A run's folder or a model.onnx.")],
    top: Annotated[int, typer.Option(min=1, help="How many words to name for each.")] = 1,
    reject: Annotated[
        bool, typer.Option(help='Say "none of these" below the model\'s threshold, or name a word.')
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one line a file.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE", help="Write a table, .parquet, .csv or .jsonl; stopped, the same command goes on."
        ),
    ] = None,
    on: Annotated[
        str,
        typer.Option(
            metavar="ray[://ADDRESS]",
            help="With --out: answer on a Ray cluster, whose nodes have the recordings under the same paths.",
        ),
    ] = "",
    spot: Annotated[
        bool, typer.Option("--spot", help="With --out: find words in files of any length, with their times.")
    ] = False,
    threshold: Threshold = None,
    thresholds_of: ThresholdsOf = None,
    settings: StreamOverrides = None,
) -> None:
    """Name the word in each sound file, a few or an archive.

    Files that cannot be read are named, and the exit code is 2 then. Thresholds and --set are for --spot.
    """
    from sayso.runtime import Recognizer

    listening = threshold is not None or bool(thresholds_of or settings)
    chosen = top != 1 or not reject
    _refuse_contradictions(out, as_json=as_json, on=on, spot=spot, listening=listening, chosen=chosen)
    executor = _cluster(on) if on else None
    recognizer = Recognizer(model, threads=1 if out else 0)
    if out is None:
        _print_answers(recognizer, files, top=top, reject=reject, as_json=as_json)
        return
    from sayso.studies.archive.answers import DetectionAnswers, WordAnswers
    from sayso.studies.archive.predict import predict_archive

    if spot:
        by = stream_settings(recognizer, overrides=settings, threshold=threshold, thresholds_of=thresholds_of)
        answers = DetectionAnswers(recognizer, by)
        if answers.note:
            warn(f"note: {answers.note}")
    else:
        answers = WordAnswers(recognizer, top=top, reject=reject)
    done = predict_archive(files, answers, out=out, executor=executor, progress=Bars(), failed=show_failed())
    show_archived(done, spot=spot)


def _cluster(on: str) -> "RayCluster":
    from sayso.data.packing import count_workers
    from sayso.studies.executors.ray_cluster import RayCluster, check_address

    check_address(on)
    return RayCluster(on, processes=count_workers(), noun="piece of the archive")


def _refuse_contradictions(
    out: Path | None, *, as_json: bool, on: str, spot: bool, listening: bool, chosen: bool
) -> None:
    from sayso.errors import Fault, SettingsError

    faults = [
        fault
        for stands, fault in (
            (as_json and out, Fault("--json", "prints, where --out writes; take --out answers.jsonl alone")),
            (on and not out, Fault("--on", "answers archives, and needs --out")),
            (spot and not out, Fault("--spot", "writes a table, and needs --out; `sayso spot` prints")),
            (listening and not spot, Fault("--threshold, --threshold-of, --set", "are for listening, and need --spot")),
            (spot and chosen, Fault("--top, --no-reject", "are for whole clips; --spot goes by thresholds")),
        )
        if stands
    ]
    if faults:
        raise SettingsError(faults)


def _print_answers(recognizer: "Recognizer", files: list[str], *, top: int, reject: bool, as_json: bool) -> None:
    from sayso.errors import AudioError, SoundWarning, in_one_line

    failed = 0
    for file in files:
        try:
            with warnings.catch_warnings(record=True) as remarks:
                warnings.simplefilter("always", SoundWarning)
                answers = recognizer.predict(file, top=top, reject=reject)
        except AudioError as error:
            failed += 1
            more = "; for all that is in it add --out answers.csv" if Path(file).is_dir() else ""
            warn(f"sayso: {error}{more}")
            continue
        for remark in remarks:
            warn(f"note: {remark.message}")
        if as_json:
            words = [{"label": answer.label, "probability": answer.probability} for answer in answers]
            say_json({"file": file, "predictions": words}, indent=None)
        else:
            say(f"{in_one_line(file)}: " + ", ".join(_answer_text(answer) for answer in answers))
    if failed:
        raise typer.Exit(2)


def _answer_text(answer: "Prediction") -> str:
    if answer.label is None:
        return f"none of these (no word above {percent(answer.probability)})"
    return f"{answer.label} ({percent(answer.probability)})"
