"""Sounds and pictures inside a page: what a browser gets is the clip itself."""

import base64
import io

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from PIL import Image

from sayso.views.html.media import picture_uri, sound_uri


def opened(uri: str) -> tuple[str, io.BytesIO]:
    """The kind that a data URI names, and its bytes."""
    head, comma, text = uri.partition(",")
    assert comma
    assert head.startswith("data:")
    assert head.endswith(";base64")
    return head.removeprefix("data:").removesuffix(";base64"), io.BytesIO(base64.b64decode(text, validate=True))


def noise(count: int = 2_000) -> NDArray[np.int16]:
    samples = np.random.default_rng(0).integers(-32_768, 32_768, count).astype(np.int16)
    samples[:2] = -32_768, 32_767
    return samples


# FLAC's header has no place for a rate such as 65,537 Hz.
@pytest.mark.parametrize(
    ("rate", "kind", "file_format"),
    [
        (8_000, "audio/flac", "FLAC"),
        (11_025, "audio/flac", "FLAC"),
        (48_000, "audio/flac", "FLAC"),
        (65_537, "audio/wav", "WAV"),
        (700_000, "audio/wav", "WAV"),
    ],
)
def test_a_sound_comes_back_sample_by_sample(rate: int, kind: str, file_format: str) -> None:
    samples = noise()
    found, content = opened(sound_uri(samples, rate))
    assert found == kind
    assert soundfile.info(content).format == file_format
    content.seek(0)
    heard, heard_rate = soundfile.read(content, dtype="int16")
    assert heard_rate == rate
    np.testing.assert_array_equal(heard, samples)


def test_flac_makes_a_quiet_clip_smaller_than_its_samples() -> None:
    quiet = (noise(16_000) // 1_000).astype(np.int16)
    _, content = opened(sound_uri(quiet, 16_000))
    assert len(content.getvalue()) < 0.6 * quiet.nbytes


def test_the_picture_is_a_png_that_shows_this_sound() -> None:
    tone = (8_000 * np.sin(2 * np.pi * 3_000 * np.arange(8_000) / 8_000)).astype(np.int16)
    kind, content = opened(picture_uri(tone, 8_000))
    assert kind == "image/png"
    picture = Image.open(content)
    assert picture.format == "PNG"
    light = np.asarray(picture.convert("L"), np.float64)
    # 3,000 of 4,000 Hz: a quarter of the way down from the top.
    assert light.mean(axis=1).argmax() == pytest.approx(len(light) / 4, abs=2)


@pytest.mark.parametrize("count", [1, 100])
def test_a_silent_or_tiny_clip_has_a_picture_too(count: int) -> None:
    kind, content = opened(picture_uri(np.zeros(count, np.int16), 16_000))
    assert kind == "image/png"
    assert Image.open(content).size == Image.open(opened(picture_uri(noise(), 16_000))[1]).size
