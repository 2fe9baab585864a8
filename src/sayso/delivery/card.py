"""The card of a model: of a run made from its files, of a file alone what travels in it."""

from pathlib import Path

from sayso.errors import Fault, ModelError, SettingsError
from sayso.runs.folder import RunFolder
from sayso.runs.model_card import read_run_card
from sayso.runtime import Recognizer

__all__ = ["find_card"]


def find_card(model: Path, *, names: bool = False) -> str:
    """Give the card of a model, as Markdown.

    Args:
        model: a run's folder, or a `model.onnx`.
        names: with people's names, paths, folders and notes, which only a run's folder has.

    Raises:
        ModelError: the file is missing, no model, or has no card in it.
        RunError: the run has not finished, or its files are damaged.
        SettingsError: names are asked of a file.
    """
    run = RunFolder(model)
    if run.recipe.is_file():
        return read_run_card(run, names=names)
    if names:
        raise SettingsError([Fault("--names", f"{model} has none, but the folder of its run may; name that")])
    recognizer = Recognizer(model, threads=1)
    if recognizer.card:
        return recognizer.card
    why = "as an earlier Sayso made it; `sayso card RUN` makes one"
    raise ModelError(f"{recognizer.path}: has no model card in it, {why}")
