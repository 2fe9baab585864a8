"""Every detector there is: those of sound alone, and those that train."""

from collections.abc import Sequence

from sayso.config.schema import did_you_mean
from sayso.data.faults import detectors as of_sound
from sayso.data.faults.catalogue import list_detectors_in
from sayso.data.faults.detector import Detector
from sayso.errors import Fault, SettingsError
from sayso.studies.audit import detectors

__all__ = ["choose_detectors", "list_detectors"]


def list_detectors() -> tuple[Detector, ...]:
    """One of each detector, in the order in which findings are shown."""
    return list_detectors_in(of_sound, detectors)


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
