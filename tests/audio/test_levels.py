"""Loudness as a listener judges it: clicks, offsets, and where there is sound."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sayso.audio import AudioFormat, Fit, clip_from_samples, find_sound, fit_clip, heard, without_clicks, without_offset

RATE = 8000
Wave = NDArray[np.float32]


def phrase(*words: float, seconds: float = 3.0, level: float = 0.1) -> Wave:
    """Words of 0.4 s that begin at these seconds, over a faint hiss."""
    sound = np.random.default_rng(0).normal(0, 1e-3, round(seconds * RATE))
    time = np.arange(round(0.4 * RATE)) / RATE
    for start in words:
        first = round(start * RATE)
        sound[first : first + len(time)] += level * np.hanning(len(time)) * np.sin(2 * np.pi * 220 * time)
    return sound.astype(np.float32)


def with_click(sound: Wave, *seconds: float, samples: int = 40) -> Wave:
    clicked = sound.copy()
    for start in seconds:
        first = round(start * RATE)
        clicked[first : first + samples] += np.resize([0.9, -0.9], samples)
    return clicked


# ---- clicks


@pytest.mark.parametrize("places", [(0.1,), (0.1, 2.9)])
@pytest.mark.parametrize("samples", [2, 40, 150])
def test_a_click_is_blanked_and_the_word_stays(places: tuple[float, ...], samples: int) -> None:
    sound = phrase(1.5)
    left = without_clicks(with_click(sound, *places, samples=samples), RATE)
    word = slice(round(1.5 * RATE), round(1.9 * RATE))
    assert np.array_equal(left[word], sound[word])
    assert np.square(left[: RATE // 2]).sum() < 0.5 * np.square(sound[word]).sum()


@pytest.mark.parametrize(
    "sound", [phrase(1.5), phrase(0.2, 2.4), with_click(phrase(), 1.0), np.zeros(RATE, np.float32)]
)
def test_nothing_else_is_changed(sound: Wave) -> None:
    assert without_clicks(sound, RATE) is sound


def test_the_loudest_part_is_the_word_and_not_a_click() -> None:
    audio = AudioFormat(sample_rate=RATE, clip_seconds=0.6, fit="loudest")
    sound = phrase(2.0)
    clipped = with_click(sound, 0.1)
    assert fit_clip(clipped, RATE, audio).start == pytest.approx(fit_clip(sound, RATE, audio).start, abs=0.1 * RATE)
    assert np.abs(clip_from_samples(clipped, RATE, audio)).max() < 0.11 * 32768
    # A clap alone is all there is to hear.
    assert np.abs(clip_from_samples(with_click(phrase(), 2.0), RATE, audio)).max() > 0.8 * 32768


def test_the_loudest_part_on_a_pedestal_is_the_word() -> None:
    audio = AudioFormat(sample_rate=RATE, clip_seconds=0.5, fit="loudest")
    slow = 0.002 * np.sin(2 * np.pi * 0.3 * np.arange(3 * RATE) / RATE)
    sound = phrase(2.0, level=0.05) + 0.5 + slow.astype(np.float32)
    assert fit_clip(sound, RATE, audio).start == pytest.approx(1.95 * RATE, abs=0.1 * RATE)


def test_what_is_ordinary_is_judged_by_its_own_samples() -> None:
    sound = phrase(1.0) + np.float32(0.002)
    assert np.array_equal(heard(sound, RATE), sound)


# ---- offsets


def test_an_offset_is_taken_off_between_the_padding() -> None:
    sound = np.pad(phrase(0.2, seconds=0.8) + np.float32(0.3), (500, 700)).astype(np.float32)
    level = without_offset(np.stack((sound, np.zeros_like(sound))))
    assert np.abs(level[0, 500:-700] - (phrase(0.2, seconds=0.8) - phrase(0.2, seconds=0.8).mean())).max() < 1e-6
    assert not level[:, :500].any()
    assert not level[:, -700:].any()
    assert not level[1].any()


# ---- what fitting loses


@pytest.mark.parametrize(("fit", "needed"), [("start", 3.0), ("centre", 3.0), ("loudest", 2.86)])
def test_sound_that_is_cut_off_is_counted(fit: Fit, needed: float) -> None:
    recording = phrase(0.2, 1.0, 2.5)
    lost, seconds = fit_clip(recording, RATE, AudioFormat(sample_rate=RATE, clip_seconds=1.5, fit=fit)).measure_loss()
    assert lost == pytest.approx(0.35 if fit != "centre" else 0.7, abs=0.06)
    assert seconds == pytest.approx(needed, abs=0.1)
    enough = AudioFormat(sample_rate=RATE, clip_seconds=round(seconds, 2), fit=fit)
    assert fit_clip(recording, RATE, enough).measure_loss()[0] < 0.05


def test_pauses_noise_and_clicks_are_no_sound() -> None:
    audio = AudioFormat(sample_rate=RATE, clip_seconds=1.0, fit="loudest")
    for sound in (phrase(1.0), with_click(phrase(1.0), 2.8), phrase(1.0) + np.float32(0.4), np.zeros(3 * RATE)):
        lost, _ = fit_clip(np.asarray(sound, np.float32), RATE, audio).measure_loss()
        assert lost == 0
    assert fit_clip(phrase(0.1, seconds=0.6), RATE, audio).measure_loss() == (0, 0)


def test_find_sound_tells_words_from_pauses() -> None:
    sounding, hop = find_sound(phrase(0.5, 2.0), RATE)
    assert hop == 80
    assert sounding.shape == (300,)
    assert sounding[55:85].all()
    assert sounding[205:235].all()
    assert not sounding[:50].any()
    assert not sounding[95:200].any()
