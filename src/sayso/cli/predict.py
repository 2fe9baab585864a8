"""`sayso predict`."""

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.console import say, warn
from sayso.system.wording import percent

if TYPE_CHECKING:
    from sayso.runtime import Prediction

__all__ = ["predict"]


def predict(
    files: Annotated[list[Path], typer.Argument(help="Sound files.")],
    model: Annotated[Path, typer.Option(help="A run's folder or a model.onnx.")],
    top: Annotated[int, typer.Option(min=1, help="How many words to name for each.")] = 1,
    reject: Annotated[
        bool, typer.Option(help='Say "none of these" below the model\'s threshold, or name a word.')
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one line a file.")] = False,
) -> None:
    """Name the word in each sound file.

    Files that cannot be read are named, and the exit code is 2 then.
    """
    from sayso.errors import AudioError, SoundWarning
    from sayso.runtime import Recognizer

    recognizer = Recognizer(model / "model.onnx" if model.is_dir() else model)
    failed = 0
    for file in files:
        try:
            with warnings.catch_warnings(record=True) as remarks:
                warnings.simplefilter("always", SoundWarning)
                answers = recognizer.predict(file, top=top, reject=reject)
        except AudioError as error:
            failed += 1
            warn(f"sayso: {error}")
            continue
        for remark in remarks:
            warn(f"note: {remark.message}")
        if as_json:
            words = [{"label": answer.label, "probability": answer.probability} for answer in answers]
            say(json.dumps({"file": str(file), "predictions": words}, ensure_ascii=False))
        else:
            say(f"{file}: " + ", ".join(_answer_text(answer) for answer in answers))
    if failed:
        raise typer.Exit(2)


def _answer_text(answer: "Prediction") -> str:
    if answer.label is None:
        return f"none of these (no word above {percent(answer.probability)})"
    return f"{answer.label} ({percent(answer.probability)})"
