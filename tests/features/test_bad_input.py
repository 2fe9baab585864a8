"""Settings that cannot work are told when the recipe is read: one clear line, before any data is touched."""

import pytest

from sayso.dsp.mel import mel_filter_bank
from sayso.errors import SettingsError
from sayso.features.mel import MelConfig
from sayso.recipe.recipe import recipe_from_values

BAD = [
    ("mel", {"window_seconds": 2}, "window_seconds: is 2, longer than the clips of 1 s"),
    ("spectrogram", {"window_seconds": 2}, "window_seconds: is 2, longer than the clips of 1 s"),
    ("mfcc", {"window_seconds": 2}, "window_seconds: is 2, longer than the clips of 1 s"),
    ("mel", {"window_seconds": 1e-5}, "window_seconds: is 1e-05, less than 2 samples at 16000 Hz"),
    ("spectrogram", {"hop_seconds": 0}, "hop_seconds: is 0, must be above 0"),
    ("mfcc", {"hop_seconds": -0.01}, "hop_seconds: is -0.01, must be above 0"),
    ("mel", {"hop_seconds": 1e-5}, "hop_seconds: is 1e-05, less than 1 sample at 16000 Hz"),
    ("mel", {"n_mels": 128}, r"n_mels: is 128: 1 of the bands would hold no frequency bin, as bins are 31.25 Hz apart"),
    ("mfcc", {"n_mels": 10**9}, "n_mels: is 1000000000: 999999486 of the bands would hold no frequency bin"),
    ("mel", {"highest_hertz": 9000}, "highest_hertz: is 9000, must be at most half the sample rate, 8000"),
    ("mfcc", {"highest_hertz": 9000}, "highest_hertz: is 9000, must be at most half the sample rate, 8000"),
    ("mel", {"lowest_hertz": 500, "highest_hertz": 400}, "lowest_hertz: is 500, must be below highest_hertz, 400"),
    ("spectrogram", {"power": 0}, "power: is 0, must be above 0"),
    ("spectrogram", {"power": -2}, "power: is -2, must be above 0"),
    ("dft", {"power": -1}, "power: is -1, must be above 0"),
    ("spectrogram", {"power": 40}, "power: is 40: a loud clip would be beyond float32, must be at most 16"),
    ("dft", {"power": 40}, "power: is 40: a loud clip would be beyond float32, must be at most 9.04"),
    ("spectrogram", {"power": None}, "scale: is log, must be linear when power is empty"),
    ("dft", {"power": None, "scale": "db"}, "scale: is db, must be linear when power is empty"),
    ("spectrogram", {"power": None, "scale": "linear", "image": {}}, "image: needs a power"),
    ("spectrogram", {"image": {"height": 0}}, "image.height: is 0, must be at least 1"),
    ("spectrogram", {"image": {"height": 8, "width": 10**6}}, "image.width: is 1000000, must be at most 4096"),
    ("spectrogram", {"normalized": True}, r"normalized: is True, must be none \| window \| frame_length"),
    ("spectrogram", {"top_db": 0}, "top_db: is 0, must be above 0"),
    ("mfcc", {"n_coefficients": 41}, "n_coefficients: is 41, must be at most n_mels, 40"),
    ("mfcc", {"delta_frames": 8}, "delta_frames: is 8, must be odd"),
    ("mfcc", {"deltas": 3}, "deltas: is 3, must be at most 2"),
    ("mfcc", {"deltas": 1, "delta_frames": 103}, "delta_frames: is 103, must be at most the clip's frames, 101"),
    ("mel", {"pcen_gain": 2}, "pcen_gain: is 2, must be at most 1"),
    ("mel", {"pcen_time_constant_seconds": 0}, "pcen_time_constant_seconds: is 0, must be above 0"),
]


@pytest.mark.parametrize(("kind", "keys", "says"), BAD, ids=lambda value: str(value)[:40])
def test_one_clear_line(kind, keys, says):
    with pytest.raises(SettingsError, match=rf"features\.{says}") as caught:
        recipe_from_values({"dataset": {"kind": "fsdd"}, "features": {"kind": kind, **keys}}, source="recipe.yaml")
    assert len(caught.value.faults) == 1
    assert "\n" not in str(caught.value)


def test_the_number_of_empty_bands_is_right():
    with pytest.raises(SettingsError) as caught:
        recipe_from_values({"dataset": {"kind": "fsdd"}, "features": {"kind": "mel", "n_mels": 200}}, source="r")
    keys = {"n_mels": 200, "n_fft": 512, "sample_rate": 16000, "lowest_hertz": 20, "highest_hertz": 8000}
    empty = sum(not band.any() for band in mel_filter_bank(**keys, scale="htk", area=False))
    assert f"200: {empty} of the bands" in str(caught.value)
    assert empty > 5


def test_features_that_a_network_cannot_take():
    with pytest.raises(
        SettingsError, match=r"model\.kind: tc_resnet .* at least 8 frames, dft gives .* and 1 frame; features that fit"
    ):
        recipe_from_values({"dataset": {"kind": "fsdd"}, "features": {"kind": "dft"}}, source="recipe.yaml")


def test_the_defaults_of_mel_are_those_of_shipped_models():
    config = MelConfig()
    assert (config.scale, config.mel_scale, config.area_norm, config.lowest_hertz) == ("log", "htk", False, 20.0)
