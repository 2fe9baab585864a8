"""Representations of a sound as panels, with the axes that each kind of them has."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from sayso.audio import AudioFormat
from sayso.config.schema import read
from sayso.dsp.mel import MelBandSettings, hertz_to_mel
from sayso.dsp.wavelets import Wavelet, wavelets
from sayso.errors import SettingsError
from sayso.features import FeatureConfig
from sayso.views.figures.sound import LOWEST_HERTZ, Sound
from sayso.views.plots.panels import Curves, Heat, Panel

__all__ = [
    "check_fit",
    "configure_features",
    "make_feature_panels",
    "make_spectrogram_panel",
    "represent",
    "to_decibels",
]

LOWEST_DB = -80.0
Ticks = tuple[tuple[float, str], ...]
_TICKS_HERTZ = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
_TICK_DISTANCE = 0.09  # of the axis, so that numbers do not stand over one another
_ROWS = {"mfcc": "coefficient", "scattering": "path", "mel": "band"}
_UNITS = {"log": "natural logarithm", "linear": "linear", "db": "dB", "pcen": "PCEN"}
_PARTS = ("real part", "imaginary part")
_FIRST = "first order"
_CEPSTRAL_ENDS = (0.06, 0.96)
_ENDS = (0.01, 0.995)  # quantiles that become the darkest and brightest colour where values have no natural end


def configure_features(kind: str, audio: AudioFormat, **settings: object) -> FeatureConfig:
    """Make the settings of a representation that fit a sound.

    Raises:
        SettingsError: no such kind or setting, or it does not fit clips of that rate and length.
    """
    config = read(FeatureConfig, {"kind": kind, **settings}, key="features")
    check_fit(config, audio)
    return config


def check_fit(config: FeatureConfig, audio: AudioFormat) -> None:
    """Raise SettingsError with everything of a representation that does not fit clips of that rate and length."""
    if faults := [fault.under("features") for fault in config.misfits(audio)]:
        raise SettingsError(faults, source=config.kind)


def represent(config: FeatureConfig, sound: Sound) -> NDArray[np.float64]:
    """Compute what a representation makes of a sound, (channels, bins, frames)."""
    module = config.build(sound.audio).eval()
    module.fill()
    with torch.inference_mode():
        return module(torch.from_numpy(sound.wave.copy())[None])[0].double().numpy()


def make_spectrogram_panel(sound: Sound, *, power: float | None = None) -> Heat:
    """Show the spectrogram over a logarithmic frequency axis.

    Args:
        sound: what to show.
        power: show the magnitude to that power; None: decibels below the loudest point.
    """
    config = configure_features("spectrogram", sound.audio, power=2.0 if power is None else power, scale="linear")
    values = represent(config, sound)[0]
    hertz = np.arange(len(values)) * sound.audio.sample_rate / (2 * (len(values) - 1))
    shown = hertz >= min(LOWEST_HERTZ, hertz[-1] / 4)
    half = hertz[1] / 2
    unit = "dB below the loudest" if power is None else "energy" if power == 2 else f"magnitude to the power {power:g}"
    return Heat(
        title="Spectrogram",
        values=(to_decibels(values) if power is None else values)[shown],
        x_edges=_time_edges(config, sound, values.shape[1]),
        y_edges=np.append(hertz[shown] - half, hertz[-1] + half),
        x_label="time (s)",
        y_label="frequency (Hz)",
        value_label=unit,
        log_y=True,
        limits=(LOWEST_DB, 0.0) if power is None else None,
    )


def make_feature_panels(config: FeatureConfig, sound: Sound, *, title: str | None = None) -> list[Panel]:
    """Show what a representation makes of a sound: over time where it has frames, else over its rows.

    Complex values give a panel for each part, scattering one for each order.
    """
    values = represent(config, sound)
    name = title or config.kind
    if values.shape[1] == 1 or values.shape[2] == 1:
        return [_curves(config, sound, values, name)]
    if len(values) == 2:
        return [_heat(config, sound, part, f"{name}, {of}") for part, of in zip(values, _PARTS, strict=True)]
    if config.kind == "scattering":
        orders = split_scattering_orders(config, values[0])
        return [_heat(config, sound, rows, f"{name}, {order}") for order, rows in orders.items()]
    return [_heat(config, sound, values[0], name)]


def _curves(config: FeatureConfig, sound: Sound, values: NDArray[np.float64], title: str) -> Curves:
    """Show values without frames, or without rows; one curve a channel."""
    lines = values.reshape(len(values), -1)
    x, label, log_x = np.arange(lines.shape[1], dtype=np.float64), f"{_ROWS.get(config.kind, 'bin')} (number)", False
    if values.shape[1] == 1:
        x, label = np.linspace(0, sound.seconds, lines.shape[1]), "time (s)"
    elif config.kind == "dft":
        x, label, log_x = np.linspace(0, sound.audio.sample_rate / 2, lines.shape[1]), "frequency (Hz)", True
    return Curves(
        title=title,
        x=x,
        ys=lines,
        x_label=label,
        y_label=_unit(config),
        log_x=log_x,
        x_limits=(min(LOWEST_HERTZ, x[-1] / 4), float(x[-1])) if log_x else None,
        names=_PARTS if len(values) == 2 else (),
        thin=True,
    )


def _heat(config: FeatureConfig, sound: Sound, values: NDArray[np.float64], title: str) -> Heat:
    edges, ticks, label = _rows(config, sound.audio, len(values), title)
    return Heat(
        title=f"{title} ({values.shape[0]} x {values.shape[1]})",
        values=values,
        x_edges=_time_edges(config, sound, values.shape[1]),
        y_edges=edges,
        x_label="time (s)",
        y_label=label,
        value_label=_unit(config),
        y_ticks=ticks,
        limits=_limits(config, values),
    )


def _rows(config: FeatureConfig, audio: AudioFormat, rows: int, title: str) -> tuple[NDArray[np.float64], Ticks, str]:
    """Give the vertical axis: edges, ticks where they are no plain numbers, label."""
    edges = np.arange(rows + 1, dtype=np.float64) - 0.5
    if isinstance(config, MelBandSettings) and config.kind == "mel":
        return edges, place_mel_ticks(config, audio), "frequency (Hz)"
    if config.kind == "spectrogram":
        return edges * audio.sample_rate / 2 / (rows - 0.5), (), "frequency (Hz)"
    if config.kind == "scattering" and title.endswith(_FIRST):
        bank = _first_wavelets(config)
        hertz = np.array([wavelet.centre for wavelet in bank][::-1]) * audio.sample_rate
        places = np.interp(_TICKS_HERTZ, hertz, np.arange(len(hertz)), left=-1, right=-1)
        return edges, _apart(zip(_TICKS_HERTZ, places, strict=True), rows), "frequency (Hz)"
    return edges, (), f"{_ROWS.get(config.kind, 'bin')} (number)"


def split_scattering_orders(config: FeatureConfig, values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Split paths, (paths, frames), into first order, the lowest frequency first, and second order if there is one."""
    start = int(getattr(config, "zeroth_order", False))
    end = start + len(_first_wavelets(config))
    orders = {_FIRST: values[start:end][::-1], "second order": values[end:]}
    return {order: rows for order, rows in orders.items() if len(rows)}


def _first_wavelets(config: FeatureConfig) -> list[Wavelet]:
    return wavelets(int(getattr(config, "wavelets_per_octave", 8)), int(getattr(config, "max_scale_log2", 8)))


def _unit(config: FeatureConfig) -> str:
    if getattr(config, "power", 0) is None:
        return "value"
    if config.kind == "waveform":
        return "amplitude (full scale 1)"
    return _UNITS.get(str(getattr(config, "scale", "")), "value")


def to_decibels(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn energy into dB below its largest value, at least -80; silence is -80 everywhere."""
    most = float(energy.max())
    if most <= 0:
        return np.full_like(energy, LOWEST_DB)
    return np.maximum(10 * np.log10(np.maximum(energy / most, 1e-30)), LOWEST_DB)


def place_mel_ticks(config: MelBandSettings, audio: AudioFormat) -> Ticks:
    """Place round frequencies on an axis of mel bands: the band (fractional) and the text."""
    ends = config.lowest_hertz, config.highest_hertz or audio.sample_rate / 2
    low, high = (hertz_to_mel(hertz, config.mel_scale) for hertz in ends)
    mels = [hertz_to_mel(hertz, config.mel_scale) for hertz in _TICKS_HERTZ]
    # Band k peaks at the mel point k + 1 of n + 2.
    places = [(mel - low) / (high - low) * (config.n_mels + 1) - 1 for mel in mels]
    return _apart(zip(_TICKS_HERTZ, places, strict=True), config.n_mels)


def _apart(places: Iterable[tuple[int, float]], rows: int) -> Ticks:
    """Keep the ticks that lie on the axis and far enough from the one before."""
    ticks: list[tuple[float, str]] = []
    for hertz, place in places:
        far = not ticks or place - ticks[-1][0] >= rows * _TICK_DISTANCE
        if -0.5 <= place <= rows - 0.5 and far:
            ticks.append((float(place), f"{hertz:,}"))
    return tuple(ticks)


def _limits(config: FeatureConfig, values: NDArray[np.float64]) -> tuple[float, float]:
    # The first coefficients, level and slope, are many times the others.
    low, high = np.quantile(values, _CEPSTRAL_ENDS if config.kind == "mfcc" else _ENDS)
    return float(low), float(high)


def _time_edges(config: FeatureConfig, sound: Sound, frames: int) -> NDArray[np.float64]:
    """Give the edges of frames: centred on multiples of the hop, or without a hop evenly over the clip."""
    hop_seconds = getattr(config, "hop_seconds", None)
    if not hop_seconds or getattr(config, "image", None):
        return np.linspace(0, sound.seconds, frames + 1)
    hop = round(hop_seconds * sound.audio.sample_rate) / sound.audio.sample_rate
    return (np.arange(frames + 1) - 0.5) * hop
