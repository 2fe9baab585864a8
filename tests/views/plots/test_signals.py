import io

import numpy as np
import pytest
from PIL import Image

from sayso.views.plots.signals import spectrogram_png


def brightness(png):
    image = Image.open(io.BytesIO(png))
    assert (image.format, image.size) == ("PNG", (240, 96))
    return np.asarray(image.convert("L"), dtype=float)


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 48_000])
def test_low_tones_lie_at_the_bottom_and_time_runs_to_the_right(sample_rate):
    seconds = np.arange(sample_rate) / sample_rate
    hertz = np.where(seconds < 0.5, sample_rate * 0.05, sample_rate * 0.4)
    picture = brightness(spectrogram_png((np.sin(2 * np.pi * hertz * seconds) * 20_000).astype(np.int16), sample_rate))
    assert picture[:, 60].argmax() == pytest.approx(96 * 0.9, abs=2)
    assert picture[:, 180].argmax() == pytest.approx(96 * 0.2, abs=2)


@pytest.mark.parametrize("samples", [0, 1, 10, 399, 16_000, 960_000])
def test_silence_of_any_length_is_dark(samples):
    assert brightness(spectrogram_png(np.zeros(samples, np.int16), 16_000)).max() < 5


@pytest.mark.parametrize("sample_rate", [1_000, 192_000])
def test_the_ends_of_the_sample_rates(sample_rate):
    noise = np.random.default_rng(0).integers(-9_000, 9_000, sample_rate).astype(np.int16)
    assert brightness(spectrogram_png(noise, sample_rate)).std() > 5


def test_small_and_the_same_every_time():
    noise = np.random.default_rng(0).integers(-9_000, 9_000, 16_000).astype(np.int16)
    assert spectrogram_png(noise, 16_000) == spectrogram_png(noise, 16_000)
    assert len(spectrogram_png(noise, 16_000)) < 20_000
