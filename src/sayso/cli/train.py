"""`sayso train`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from sayso.cli.console import Bars
from sayso.cli.options import Language, Overrides, Small, WordList, WordsFile, need_one, words_given
from sayso.cli.results import say_where, show_run

__all__ = ["train"]


def train(
    source: Annotated[
        str | None, typer.Argument(help="A recipe (YAML), a folder of clips by word, or a manifest (CSV, JSONL).")
    ] = None,
    words: WordList = None,
    words_file: WordsFile = None,
    language: Language = None,
    small: Small = False,
    negatives: Annotated[
        list[str] | None,
        typer.Option(
            help="File or folder of long recordings, such as other speech, in which no word is spoken; may be given "
            "several times. Short for --set rejection.recordings=[...]"
        ),
    ] = None,
    settings: Overrides = None,
    epochs: Annotated[int | None, typer.Option(help="Short for --set training.epochs=...")] = None,
    device: Annotated[
        Literal["auto", "cpu", "gpu"] | None, typer.Option(help="Short for --set training.device=...")
    ] = None,
    precision: Annotated[
        Literal["auto", "float32", "bf16"] | None, typer.Option(help="Short for --set training.precision=...")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; new or empty.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with this stopped run instead.")] = None,
) -> None:
    """Train and score a recogniser; leave report and model.

    It is scored on clips that it never saw.

    Started by torchrun, several processes or machines train together.
    """
    need_one("a recipe, folder or manifest; --words; --words-file; --resume RUN", source, words, words_file, resume)
    short = {"epochs": epochs, "device": device, "precision": precision}
    overrides = [*(settings or ()), *(f"training.{key}={value}" for key, value in short.items() if value is not None)]
    keys = {override.partition("=")[0].strip() for override in settings or ()}
    also = {f"--{key}": f"training.{key}" for key, value in short.items() if value is not None}
    also |= {"--negatives": "rejection.recordings"} if negatives else {}
    for option, key in also.items():
        if key in keys:
            raise typer.BadParameter(f"{option} and --set {key} say the same; give one of the two")
    if negatives:
        overrides.append(f"rejection.recordings={json.dumps(negatives, ensure_ascii=False)}")
    if resume is not None and (overrides or out or small or language is not None):
        unfit = "--set, --negatives, --epochs, --device, --precision, --small, --language and --out do not fit it"
        raise typer.BadParameter(f"--resume goes on with a run as it is: {unfit}")
    from sayso.experiment import train as experiment
    from sayso.system.distributed import this_process
    from sayso.system.progress import Progress

    leads = this_process().leads
    progress = Bars() if leads else Progress()

    if resume is not None:
        run = experiment.resume(resume, progress=progress)
    else:
        spoken = words_given(words, words_file, language)
        run = experiment.train(
            spoken or source or "", overrides=overrides, small=small, language=language, out=out, progress=progress
        )
    if not leads:
        return
    show_run(run)
    say_where(run)
