"""Whatever arrives becomes one channel of usable samples, and each kind of fault is told once."""

import numpy as np
import pytest

from sayso.runtime.live import Cleaner
from streams_made import sound

RATE = 8_000


@pytest.fixture
def told():
    return []


@pytest.fixture
def cleaner(told):
    return Cleaner(RATE, told.append)


def test_one_channel_of_int16_is_left_as_it_is(cleaner, told):
    block = np.arange(-5, 5, dtype=np.int16)[:, None]
    samples = cleaner.clean(block)
    assert samples.dtype == np.int16
    np.testing.assert_array_equal(samples, block[:, 0])
    assert told == []


def test_values_that_are_no_numbers_become_silence_and_are_told_once(cleaner, told):
    block = np.array([[0.1], [np.nan], [-np.inf], [0.2]], np.float32)
    for _ in range(3):
        np.testing.assert_array_equal(cleaner.clean(block), np.array([0.1, 0, 0, 0.2], np.float32))
    assert told == ["samples that are not numbers (NaN or infinite) came in; they are replaced by silence"]


def test_floats_on_another_scale_become_silence(cleaner, told):
    assert not cleaner.clean(np.array([[0.1], [300.0]], np.float32)).any()
    assert not cleaner.clean(np.array([[0.1], [400.0]], np.float32)).any()
    assert cleaner.clean(np.array([[0.1], [1.5]], np.float32)).any()
    assert [line.partition(",")[0] for line in told] == ["samples reach 300"]


def test_channels_are_averaged(cleaner, told):
    block = np.stack([sound(0.1, RATE), sound(0.1, RATE, seed=1)], axis=1)
    np.testing.assert_allclose(cleaner.clean(block), block.mean(axis=1), atol=1e-7)
    assert told == []


def test_channels_that_cancel_one_another_for_a_moment_are_averaged_again(cleaner, told):
    wave = sound(0.1, RATE)
    np.testing.assert_array_equal(cleaner.clean(np.stack([wave, -0.5 * wave], axis=1)), wave)
    block = np.stack([sound(1, RATE, seed=1)] * 2, axis=1)
    np.testing.assert_allclose(cleaner.clean(block), block[:, 0], atol=1e-7)
    block = np.stack([sound(1, RATE, seed=1), sound(1, RATE, seed=2)], axis=1)
    np.testing.assert_allclose(cleaner.clean(block), block.mean(axis=1), atol=1e-7)
    assert told == ["the mean of 2 channels loses the sound, so channel 1 is taken alone"]


def test_of_32_channels_with_one_in_use_that_one_is_taken(cleaner, told):
    block = np.zeros((800, 32), np.int16)
    assert not cleaner.clean(block).any()
    block[:, 7] = np.rint(3000 * np.sin(np.arange(800)))
    np.testing.assert_array_equal(cleaner.clean(block), block[:, 7].astype(np.float32) / 32768)
    np.testing.assert_array_equal(cleaner.clean(block), block[:, 7].astype(np.float32) / 32768)
    assert told == ["the mean of 32 channels loses the sound, so channel 8 is taken alone"]


def test_an_hour_of_silence_is_one_line_and_the_next_silence_another(cleaner, told):
    minute = np.zeros((60 * RATE, 1), np.int16)
    for _ in range(60):
        cleaner.clean(minute)
    assert told == ["nothing but zeros for 30 s; is the microphone muted, or forbidden to this program?"]
    cleaner.clean(np.ones((1, 1), np.int16))
    cleaner.clean(minute)
    assert len(told) == 2
