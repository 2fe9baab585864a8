"""Every detector, in the order in which findings are shown."""

from collections.abc import Sequence

from sayso.config.schema import did_you_mean
from sayso.errors import Fault, SettingsError
from sayso.studies.audit.detector import Detector
from sayso.studies.audit.detectors.band import BandLimited
from sayso.studies.audit.detectors.clipping import Clipping
from sayso.studies.audit.detectors.cut_off import CutOff
from sayso.studies.audit.detectors.length import Length
from sayso.studies.audit.detectors.loudness import Loudness
from sayso.studies.audit.detectors.mislabels import Mislabels
from sayso.studies.audit.detectors.rate import WrongRate
from sayso.studies.audit.detectors.repeats import Repeats
from sayso.studies.audit.detectors.silence import Silence

__all__ = ["DETECTORS", "chosen_detectors"]

DETECTORS: tuple[Detector, ...] = (
    Silence(),
    CutOff(),
    WrongRate(),
    Repeats(),
    Mislabels(),
    Clipping(),
    BandLimited(),
    Loudness(),
    Length(),
)


def chosen_detectors(only: Sequence[str], *, mislabels: bool) -> tuple[Detector, ...]:
    """Those named, or all; the search for mislabels, which trains, only when it is asked for.

    Raises:
        SettingsError: a name that no detector has.
    """
    names = [detector.name for detector in DETECTORS]
    if unknown := [name for name in only if name not in names]:
        raise SettingsError([Fault("only", f"no fault '{name}'; {did_you_mean(name, names)}") for name in unknown])
    wanted = set(only or names)
    if not mislabels and "mislabels" not in only:
        wanted.discard("mislabels")
    elif mislabels:
        wanted.add("mislabels")
    return tuple(detector for detector in DETECTORS if detector.name in wanted)
