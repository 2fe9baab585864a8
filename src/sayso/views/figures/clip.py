"""One clip, seen in every way: on one sheet, or one picture each."""

from collections.abc import Callable, Sequence
from pathlib import Path

from sayso.config.schema import did_you_mean, read
from sayso.errors import Fault, SettingsError
from sayso.features import FEATURES, FeatureConfig
from sayso.views.figures import Pictures
from sayso.views.figures.heard import configure_features, make_feature_panels, make_spectrogram_panel
from sayso.views.figures.sound import Sound, make_dft_panel, make_waveform_panel, make_zoom_panel, read_sound
from sayso.views.plots.panels import Panel, draw_sheet

__all__ = ["draw_clip", "list_views"]

_NAMES = {"mel": "Mel spectrogram", "mfcc": "MFCC", "scattering": "Wavelet scattering"}
_SEEN_OTHERWISE = ("waveform", "dft", "spectrogram")


def list_views() -> list[str]:
    """List the names of all there is to see: the wave itself, then every registered representation."""
    others = [kind for kind in FEATURES.names() if kind not in (*_SEEN_OTHERWISE, *_NAMES)]
    known = [kind for kind in _NAMES if kind in FEATURES.names()]
    return ["waveform", "zoom", "dft", "spectrogram", *known, *others]


def draw_clip(path: Path, *, only: Sequence[str] = (), power: float | None = None) -> Pictures:
    """Draw a sound file.

    Args:
        path: the file; up to its first 60 s are shown, at its own rate.
        only: names of `list_views`, each drawn on a sheet of its own; empty: all that fit the file, on one sheet.
        power: of the magnitude in the spectrogram; None: decibels.

    Raises:
        AudioError: the file is no sound.
        SettingsError: a name that is not among the views, a power that is not positive, or a view that is asked for
            and does not fit so short a clip.
    """
    known = list_views()
    if unknown := [name for name in only if name not in known]:
        raise SettingsError([Fault("only", f"no view '{name}'; {did_you_mean(name, known)}") for name in unknown])
    sound = read_sound(path)
    if power is not None:
        read(FeatureConfig, {"kind": "spectrogram", "power": power, "scale": "linear"})  # said before all else
    if only:
        return {
            name: draw_sheet(_view(name, sound, power), title=sound.name, columns=1) for name in dict.fromkeys(only)
        }
    return {
        "sheet": draw_sheet([panel for name in known for panel in _fitting(name, sound, power)], title=_title(sound))
    }


def _title(sound: Sound) -> str:
    silent = "" if sound.wave.any() else ", nothing but zeros"
    return f"{sound.name}: {sound.seconds:.2f} s at {sound.audio.sample_rate:,} Hz{silent}"


def _view(name: str, sound: Sound, power: float | None) -> list[Panel]:
    plain: dict[str, Callable[[], Panel]] = {
        "waveform": lambda: make_waveform_panel(sound),
        "zoom": lambda: make_zoom_panel(sound),
        "dft": lambda: make_dft_panel(sound),
        "spectrogram": lambda: make_spectrogram_panel(sound, power=power),
    }
    if name in plain:
        return [plain[name]()]
    return make_feature_panels(configure_features(name, sound.audio), sound, title=_NAMES.get(name, name))


def _fitting(name: str, sound: Sound, power: float | None) -> list[Panel]:
    """Leave out of the sheet what needs a longer clip."""
    try:
        return _view(name, sound, power)
    except SettingsError:
        return []
