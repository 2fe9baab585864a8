"""Every detector of a folder of them: each file is asked, so that a new one is told to nobody."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from sayso.data.faults.detector import Detector

__all__ = ["list_detectors_in"]


def list_detectors_in(*packages: ModuleType) -> tuple[Detector, ...]:
    """Import every file of these packages; gives one of each detector, in the order in which findings are shown."""
    names = [
        f"{package.__name__}.{file.name}" for package in packages for file in pkgutil.iter_modules(package.__path__)
    ]
    found = (detector for name in names for detector in _detectors_in(name))
    return tuple(sorted(found, key=lambda detector: (detector.place, detector.name)))


def _detectors_in(name: str) -> Iterator[Detector]:
    module = importlib.import_module(name)
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Detector) and value.__module__ == module.__name__:
            yield value()
