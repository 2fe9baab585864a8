"""`load`: a run's folder or a model file, opened; a model file without anything that trains."""

from pathlib import Path
from typing import TYPE_CHECKING

from sayso.runtime import Recognizer
from sayso.system.installed import needing_training_packages

if TYPE_CHECKING:
    from sayso.experiment.run import Run

__all__ = ["load"]


def load(path: str | Path) -> "Run | Recognizer":
    """Open a run's folder as a `Run`, or a `model.onnx` as a `Recognizer`, which needs the base install alone.

    Raises:
        RunError: there is no run.
        ModelError: the file is no model.
        MissingExtraError: a run, but what trains is not installed.
    """
    path = Path(path)
    if path.suffix.lower() == ".onnx":
        return Recognizer(path)
    with needing_training_packages("runs"):
        from sayso.experiment.run import Run
    return Run.open(path)
