"""Representations: their filters, what one window becomes, what they make of a sound."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.audio import AudioFormat
from sayso.dsp.mel import MelBandSettings, hertz_to_mel, mel_filter_bank, mel_to_hertz
from sayso.dsp.stft import next_power_of_two
from sayso.dsp.wavelets import BANDWIDTH, gauss_response, morlet_response, wavelets
from sayso.features import FEATURES, FeatureConfig
from sayso.recipe.recipe import is_recipe_file, read_recipe
from sayso.views.figures import Pictures
from sayso.views.figures.heard import check_fit, configure_features, make_feature_panels, represent, to_decibels
from sayso.views.figures.sound import LOWEST_HERTZ, Sound, make_vowel, make_waveform_panel, read_sound
from sayso.views.plots.panels import Curves, Panel, draw_sheet
from sayso.views.plots.style import Figure

__all__ = ["draw_features"]

_HISS = 0.03  # of full scale, and 20 dB less in the first half: what PCEN takes away


def draw_features(source: str, *, clip: Path | None = None) -> Pictures:
    """Draw a representation: what it makes of a sound, and its filters where it has some.

    A recipe with `level: peak` has the sound brought to a peak of 1 first, as its model does.

    Args:
        source: a recipe file, or the kind of a representation.
        clip: a sound file to represent; None: a made-up vowel.

    Raises:
        SettingsError: no such recipe or kind, or a representation that does not fit its clips.
        AudioError: the file is no sound.
    """
    if is_recipe_file(source):
        recipe = read_recipe(Path(source))
        config, audio, at_peak = recipe.features, recipe.audio, recipe.level == "peak"
    else:
        config, audio, at_peak = FEATURES.get(source)(), AudioFormat(), False
        check_fit(config, audio)
    sound = read_sound(clip, audio) if clip else make_vowel(audio)
    if at_peak:
        sound = sound.bring_to_peak()
    title = f"{config.kind} of {sound.name}"
    pictures: dict[str, Figure] = {
        "representation": draw_sheet(
            [make_waveform_panel(sound), *make_feature_panels(config, sound)], title=title, columns=1
        )
    }
    if isinstance(config, MelBandSettings):
        pictures["filter_bank"] = draw_sheet([_mel_filters(config, audio)])
        pictures["one_window"] = _one_window(config, sound)
    if config.kind == "scattering":
        pictures["filter_bank"] = _wavelet_filters(config, audio)
    if isinstance(config, MelBandSettings) and config.kind == "mel":
        pictures["pcen_effect"] = _pcen_effect(config, sound)
    return pictures


def _bank(config: MelBandSettings, audio: AudioFormat) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the mel filters (mels, bins) and the frequencies they peak at, in hertz."""
    highest, scale = config.highest_hertz or audio.sample_rate / 2, config.mel_scale
    bank = mel_filter_bank(
        n_mels=config.n_mels,
        n_fft=next_power_of_two(round(config.window_seconds * audio.sample_rate)),
        sample_rate=audio.sample_rate,
        lowest_hertz=config.lowest_hertz,
        highest_hertz=highest,
        scale=scale,
        area=config.area_norm,
    )
    ends = hertz_to_mel(config.lowest_hertz, scale), hertz_to_mel(highest, scale)
    peaks = [mel_to_hertz(mel, scale) for mel in np.linspace(*ends, len(bank) + 2)[1:-1]]
    return bank, np.array(peaks)


def _mel(config: MelBandSettings, audio: AudioFormat, scale: str) -> FeatureConfig:
    """Configure the mel spectrogram with the same bands."""
    same = {field.name: getattr(config, field.name) for field in fields(MelBandSettings)}
    return configure_features("mel", audio, **same, scale=scale)


def _mel_filters(config: MelBandSettings, audio: AudioFormat) -> Curves:
    bank, _ = _bank(config, audio)
    hertz = np.linspace(0, audio.sample_rate / 2, bank.shape[1])
    return Curves(
        title=f"Mel filter bank, {len(bank)} bands",
        x=hertz,
        ys=bank,
        x_label="frequency (Hz)",
        y_label="weight (1/Hz)" if config.area_norm else "weight",
    )


def _one_window(config: MelBandSettings, sound: Sound) -> Figure:
    """Draw the loudest window as samples, in Fourier coefficients, and in mel coefficients."""
    rate = sound.audio.sample_rate
    window, hop = round(config.window_seconds * rate), round(config.hop_seconds * rate)
    by_module = represent(_mel(config, sound.audio, "linear"), sound)[0]
    frame = int(by_module.sum(axis=0).argmax())
    n_fft = next_power_of_two(window)
    padded = np.pad(sound.wave.astype(np.float64), n_fft // 2, mode="reflect")
    start = frame * hop + (n_fft - window) // 2  # the frame is centred on its sample, the window on the frame
    samples = padded[start : start + window]
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    power = np.abs(np.fft.rfft(samples * taper, n_fft)) ** 2
    bank, peaks = _bank(config, sound.audio)
    hertz, ends = np.linspace(0, rate / 2, len(power)), (LOWEST_HERTZ, rate / 2)
    names = ("filters x spectrum", "model")
    mel = np.stack([to_decibels(bank @ power), to_decibels(by_module[:, frame])])
    look: dict[str, Any] = {"x_label": "frequency (Hz)", "y_label": "energy (dB)", "log_x": True, "x_limits": ends}
    milliseconds = 1000 * (np.arange(window) - window / 2) / rate + 1000 * frame * hop / rate
    return draw_sheet(
        [
            Curves(
                title=f"{window} samples",
                x=milliseconds,
                ys=np.stack([samples, samples * taper]),
                names=("samples", "windowed"),
                x_label="time (ms)",
                y_label="amplitude (full scale 1)",
            ),
            Curves(title=f"{len(power)} Fourier coefficients", x=hertz[1:], ys=to_decibels(power)[None, 1:], **look),
            Curves(title=f"{len(peaks)} mel coefficients", x=peaks, ys=mel, names=names, marker=".", **look),
        ],
        title=f"The loudest window of {sound.name}",
        columns=1,
    )


def _wavelet_filters(config: FeatureConfig, audio: AudioFormat) -> Figure:
    """Draw the responses of first and second order and of the averaging window, each brought to height 1."""
    scale = int(getattr(config, "max_scale_log2", 8))
    orders = {"First": int(getattr(config, "wavelets_per_octave", 8)), "Second": 1}
    length = 2 ** (scale + 7)
    lowest = BANDWIDTH / 2**scale * audio.sample_rate  # the averaging window's deviation
    hertz = np.arange(1, length // 2) * audio.sample_rate / length
    panels: list[Curves] = []
    for order, per_octave in orders.items():
        bank = wavelets(per_octave, scale)
        responses = [morlet_response(length, wavelet.centre, wavelet.deviation) for wavelet in bank]
        curves = np.stack([*responses, gauss_response(length, BANDWIDTH / 2**scale)])[:, 1 : length // 2]
        panels.append(
            Curves(
                title=f"{order} order: {len(bank)} wavelets; dotted: the average",
                last_apart=True,
                x=hertz,
                ys=curves / np.abs(curves).max(axis=1, keepdims=True),
                x_label="frequency (Hz)",
                y_label="response (highest 1)",
                log_x=True,
                x_limits=(lowest, audio.sample_rate / 2),
            )
        )
    title = f"Wavelets of scattering up to 2^{scale} samples ({1000 * 2**scale / audio.sample_rate:.0f} ms)"
    return draw_sheet(panels, columns=1, title=title)


def _pcen_effect(config: MelBandSettings, sound: Sound) -> Figure:
    """Draw the same sound over a hiss that grows louder half-way, in the logarithm and after PCEN."""
    hiss = _HISS * np.random.default_rng(0).standard_normal(len(sound.wave))
    hiss[: len(hiss) // 2] /= 10
    noisy = Sound(sound.name, (sound.wave + hiss).astype(np.float32), sound.audio)
    titles = {"log": "Mel in the logarithm", "pcen": "After PCEN: what stays the same fades"}
    panels: list[Panel] = [make_waveform_panel(noisy)]
    for scale, title in titles.items():
        panels += make_feature_panels(_mel(config, sound.audio, scale), noisy, title=title)
    return draw_sheet(panels, columns=1, title=f"{sound.name}, with a hiss 20 dB louder in the second half")
