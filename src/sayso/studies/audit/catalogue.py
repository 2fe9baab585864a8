"""Every detector there is: each file of `detectors/` is asked, so that a new one is told to nobody."""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence

from sayso.config.schema import did_you_mean
from sayso.errors import Fault, SettingsError
from sayso.studies.audit import detectors
from sayso.studies.audit.detector import Detector

__all__ = ["choose_detectors", "list_detectors"]


def list_detectors() -> tuple[Detector, ...]:
    """Import every file of `detectors/`; gives one of each detector, in the order in which findings are shown."""
    found = (detector for module in pkgutil.iter_modules(detectors.__path__) for detector in _detectors_in(module.name))
    return tuple(sorted(found, key=lambda detector: (detector.place, detector.name)))


def choose_detectors(only: Sequence[str], *, mislabels: bool) -> tuple[Detector, ...]:
    """Those named, or all; those that train only when they are asked for.

    Args:
        only: names; empty: all that do not train.
        mislabels: also all that train.

    Raises:
        SettingsError: a name that no detector has.
    """
    known = list_detectors()
    names = [detector.name for detector in known]
    if unknown := [name for name in only if name not in names]:
        raise SettingsError([Fault("only", f"no fault '{name}'; {did_you_mean(name, names)}") for name in unknown])
    return tuple(
        detector for detector in known if detector.name in only or (mislabels if detector.trains else not only)
    )


def _detectors_in(file: str) -> Iterator[Detector]:
    module = importlib.import_module(f"{detectors.__name__}.{file}")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Detector) and value.__module__ == module.__name__:
            yield value()
