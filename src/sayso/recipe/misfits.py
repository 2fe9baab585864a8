"""Whether a network takes what the features of a recipe give, and which features it would take."""

from collections.abc import Iterator

from sayso.audio import AudioFormat
from sayso.config.schema import read
from sayso.errors import Fault, SettingsError
from sayso.features import FEATURES, FeatureConfig
from sayso.models import NetworkConfig
from sayso.system.wording import counted

__all__ = ["find_misfits"]

_AXES = ("channel", "bin", "frame")


def find_misfits(model: NetworkConfig, features: FeatureConfig, audio: AudioFormat) -> Iterator[Fault]:
    """Yield the network's own misfits, each with the size of the features and which others it can take."""
    shape = features.build(audio).shape
    misfits = list(model.misfits(shape))
    if misfits:
        others = ", ".join(_fitting(model, features.kind, audio)) or "none with its defaults"
        gives = f"{features.kind} gives {_size(shape)}; features that fit: {others}"
        yield from (Fault(fault.key, f"{fault.message}, {gives}") for fault in misfits)


def _fitting(model: NetworkConfig, refused: str, audio: AudioFormat) -> Iterator[str]:
    """Kinds of features that, left at their defaults, fit the network and the clips."""
    for part in FEATURES:
        try:
            features = read(part, {})
        except SettingsError:  # of another package, with a key that has no default
            continue
        if not list(features.misfits(audio)) and not list(model.misfits(features.build(audio).shape)):
            yield part.kind if part.kind != refused else f"{refused} with its defaults"


def _size(shape: tuple[int, int, int]) -> str:
    """Say a shape.

    >>> _size((2, 1, 16000))
    '2 channels of 1 bin and 16,000 frames'
    """
    channels, bins, frames = [counted(count, noun) for count, noun in zip(shape, _AXES, strict=True)]
    return f"{channels} of {bins} and {frames}" if shape[0] > 1 else f"{bins} and {frames}"
