"""Sayso: recordings of spoken words in, a recogniser people can trust and ship out.

>>> import sayso
>>> run = sayso.train("recipes/fsdd/quick.yaml")  # doctest: +SKIP
>>> run.metrics()["test"]["accuracy"]  # doctest: +SKIP
>>> sayso.load("model.onnx").predict("yes.wav")  # doctest: +SKIP

Importing the package imports neither torch nor matplotlib; the names below do when they are first used.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sayso.data.recordings import dataset
    from sayso.experiment.load import load
    from sayso.experiment.run import Run
    from sayso.experiment.train import resume, train
    from sayso.runtime import Recognizer, Stream

__all__ = ["Recognizer", "Run", "Stream", "__version__", "dataset", "load", "resume", "train"]

__version__ = version("sayso")

_HOMES = {
    "Recognizer": "sayso.runtime",
    "Run": "sayso.experiment.run",
    "Stream": "sayso.runtime",
    "dataset": "sayso.data.recordings",
    "load": "sayso.experiment.load",
    "resume": "sayso.experiment.train",
    "train": "sayso.experiment.train",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sayso' has no attribute '{name}'")
    from sayso.system.installed import needing_training_packages

    with needing_training_packages("training and its runs"):
        return getattr(import_module(_HOMES[name]), name)
