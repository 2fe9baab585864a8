"""Copies planted among made-up words and real clips are found; two takes of a word are not."""

import io
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import soundfile
import soxr

import sayso.data.near_copies
from sayso.audio import AudioFormat
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus, clear_packed, pack
from sayso.data.datasets.fsdd import FsddConfig
from sayso.data.datasets.speech_commands import SpeechCommandsConfig
from sayso.data.near_copies import (
    NearCopy,
    find_copies_across,
    find_near_copies,
    look_up_near_copies,
)
from sayso.system.progress import Progress

RATE = 16_000


@cache
def word(seed: int, *, take: int = 0) -> np.ndarray:
    """Two syllables of a voice in a second of faint noise: a pitch that falls, three resonances that move."""
    rng, own = np.random.default_rng(seed), np.random.default_rng((seed, take))
    time = np.arange(RATE) / RATE
    sound = own.normal(0, 3e-4, RATE)
    pitch = rng.uniform(90, 220) * (1 + own.normal(0, 0.02))
    for start in (0.3, 0.5 + own.uniform(-0.02, 0.02)):
        begin, end = rng.uniform(300, 2_800, (2, 3))
        share = np.clip((time - start) / 0.18, 0, 1)
        phase = 2 * np.pi * np.cumsum(pitch * (1.1 - 0.2 * share)) / RATE
        formants = begin + (end - begin) * share[:, None]
        for harmonic in range(1, 16):
            loudness = np.exp(-(((harmonic * pitch - formants) / 150) ** 2)).sum(axis=1)
            sound += np.sin(np.pi * share) ** 2 * loudness * np.sin(harmonic * phase + own.uniform(0, 6)) * 0.2
    return quantised(sound * 0.6 / np.abs(sound).max() * 32768)


def quantised(sound: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def shifted(clip: np.ndarray, samples: int) -> np.ndarray:
    moved = np.roll(clip, samples)
    moved[slice(0, samples) if samples > 0 else slice(samples, None)] = 0
    return moved


def resampled(clip: np.ndarray, through: int) -> np.ndarray:
    back = soxr.resample(soxr.resample(clip.astype(np.float64), RATE, through), through, RATE)
    return quantised(np.resize(back, len(clip)))


def noisy(clip: np.ndarray, snr_db: float) -> np.ndarray:
    level = np.sqrt(np.mean(np.square(clip, dtype=np.float64))) * 10 ** (-snr_db / 20)
    return quantised(clip + np.random.default_rng(1).normal(0, level, len(clip)))


def coded(clip: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    soundfile.write(file, clip, RATE, format="OGG", subtype="VORBIS")
    file.seek(0)
    return quantised(soundfile.read(file)[0] * 32768)


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "same": lambda clip: clip.copy(),
    "softer": lambda clip: quantised(clip * 0.2),
    "upside down": lambda clip: -clip,
    "later": lambda clip: shifted(clip, 3_001),
    "earlier": lambda clip: shifted(clip, -2_500),
    "through 8 kHz": lambda clip: resampled(clip, 8_000),
    "through 11 kHz": lambda clip: resampled(clip, 11_025),
    "noise 20 dB below": lambda clip: noisy(clip, 20),
    "coded": coded,
    "softer, later, noisy": lambda clip: noisy(shifted(quantised(clip * 0.4), 800), 25),
}


def found(samples: np.ndarray, *, rate: int = RATE) -> set[tuple[int, int]]:
    return {(pair.first, pair.second) for pair in find_near_copies(samples, sample_rate=rate)}


def test_every_kind_of_copy_is_found_and_nothing_else() -> None:
    words = [word(seed) for seed in range(12)] + [word(seed, take=1) for seed in range(12)]
    samples = np.array(words + [change(words[row]) for row, change in enumerate(CHANGES.values())])
    assert found(samples) == {(row, 24 + row) for row in range(len(CHANGES))}


def test_likeness_and_shift_say_what_was_done() -> None:
    clip = word(3)
    same, later, noise = (
        find_near_copies(np.array([clip, changed]), sample_rate=RATE)[0]
        for changed in (clip, shifted(clip, 1_600), noisy(clip, 20))
    )
    assert same == NearCopy(0, 1, 0.0, 1.0)
    assert later.shift_seconds == pytest.approx(0.1, abs=2e-4)
    assert 0.99 < later.likeness < 1
    assert noise.likeness == pytest.approx(1 / np.sqrt(1.01), abs=0.01)
    assert find_near_copies(np.array([shifted(clip, 1_600), clip]), sample_rate=RATE)[0].shift_seconds < 0


def test_equal_clips_give_a_pair_each_with_the_first_of_them() -> None:
    one, other = word(1), word(2)
    assert found(np.array([other, one, one, other, one])) == {(0, 3), (1, 2), (1, 4)}


def test_silence_and_hum_are_copies_of_nothing() -> None:
    rng = np.random.default_rng(0)
    hum = 2_000 * np.sin(2 * np.pi * 50 * np.arange(RATE) / RATE)
    clips = [np.zeros(RATE), np.zeros(RATE)]
    clips += [rng.integers(-1, 2, RATE) for _ in range(6)]
    clips += [rng.normal(0, 40, RATE) for _ in range(6)]
    clips += [hum + rng.normal(0, 5, RATE) for _ in range(4)]
    assert found(np.array([quantised(clip) for clip in clips])) == set()


@pytest.mark.parametrize(("rate", "samples"), [(1_000, 100), (8_000, 1), (11_025, 5_001), (44_100, 22_050)])
def test_any_rate_and_length(rate: int, samples: int) -> None:
    clips = np.random.default_rng(0).integers(-9_000, 9_000, (5, samples)).astype(np.int16)
    assert found(np.concatenate((clips, clips[:2])), rate=rate) >= {(0, 5), (1, 6)}
    assert found(clips[:1], rate=rate) == set()


def test_the_answer_is_kept_and_goes_with_the_packed_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    clips = tuple(Clip(f"/x/{name}.wav", "a") for name in "abc")
    samples = np.array([word(1), word(2), word(1)])
    corpus = Corpus(clips, samples, AudioFormat(), fingerprints=("a", "b", "a"))
    first = look_up_near_copies(corpus)
    monkeypatch.setattr(sayso.data.near_copies, "find_near_copies", lambda *_, **__: pytest.fail("looked for again"))
    assert look_up_near_copies(corpus) == first == [NearCopy(0, 2, 0.0, 1.0)]
    clear_packed()
    with pytest.raises(pytest.fail.Exception, match="looked for again"):
        look_up_near_copies(corpus)


def planted_in(corpus: Corpus, count: int, seed: int) -> tuple[np.ndarray, set[tuple[int, int]]]:
    """Changed copies of `count` clips behind the others, and where each should be found."""
    kinds = [lambda c: quantised(c * 0.3), lambda c: shifted(c, 900), lambda c: noisy(c, 22), lambda c: c.copy()]
    rows = np.random.default_rng(seed).choice(len(corpus), count, replace=False)
    copies = [kinds[at % len(kinds)](corpus.samples[row]) for at, row in enumerate(rows)]
    return np.concatenate((corpus.samples, copies)), {(int(row), len(corpus) + at) for at, row in enumerate(rows)}


def real_clips(dataset: FsddConfig | SpeechCommandsConfig, rate: int) -> Corpus:
    if dataset.location() is None:
        pytest.skip("no real recordings: set SAYSO_DATA")
    return pack(dataset.listing(Progress()), AudioFormat(sample_rate=rate), progress=Progress())


def test_in_real_digits_only_planted_copies_are_found() -> None:
    whole = real_clips(FsddConfig(speakers=("george",)), 8_000)
    samples, wanted = planted_in(whole, 24, seed=11)
    got = found(samples, rate=8_000)
    assert len(got & wanted) >= 23
    assert got <= wanted


@pytest.mark.slow
def test_in_speech_commands_the_source_s_own_repeats_are_found_too() -> None:
    whole = real_clips(SpeechCommandsConfig(), 16_000)
    samples, wanted = planted_in(whole, 200, seed=12)
    got = found(samples)
    assert len(got & wanted) >= 190
    own = {pair for pair in got if pair[1] < len(whole)}
    marks = whole.fingerprints
    assert len(own) >= len(marks) - len(set(marks))
    assert all(whole.clips[a].speaker == whole.clips[b].speaker for a, b in own)
    assert all(whole.clips[a].part == whole.clips[b].part for a, b in own)


def test_copies_across_two_sets_are_those_that_one_set_of_both_would_have() -> None:
    first = np.array([word(0), word(1), word(2), word(0), np.zeros(RATE, np.int16)])
    second = np.array([noisy(word(2), 25), word(3), word(0), shifted(word(1), 900), np.zeros(RATE, np.int16)])
    found = find_copies_across(first, second, sample_rate=RATE)
    whole = find_near_copies(np.concatenate((first, second)), sample_rate=RATE)
    assert [(pair.first, pair.second) for pair in found] == [(0, 2), (1, 3), (2, 0), (3, 2)]
    assert [pair.likeness == 1 for pair in found] == [True, False, False, True]
    expected = {
        (pair.first, pair.second - len(first)): pair for pair in whole if pair.first < len(first) <= pair.second
    }
    for pair in found[1:3]:
        alone = expected[pair.first, pair.second]
        assert (pair.shift_seconds, pair.likeness) == pytest.approx((alone.shift_seconds, alone.likeness), abs=1e-6)
    assert find_copies_across(first, second[4:], sample_rate=RATE) == []
    assert find_copies_across(first[4:], second, sample_rate=RATE) == []


# ---- what every clip of one recorder shares


def clicked(clip: np.ndarray, *places: int, length: int = 320) -> np.ndarray:
    """The clip, faint, with the same loud click at each of some places."""
    click = 30_000 * np.exp(-np.arange(length) / 80) * np.cos(2 * np.pi * 1_500 * np.arange(length) / RATE)
    changed = (clip * 0.05).astype(np.float64)
    for place in places:
        changed[place : place + length] += click
    return quantised(changed)


@pytest.mark.parametrize("places", [(1_600,), (800, 14_400)], ids=["press", "press and release"])
def test_a_click_that_all_clips_share_makes_no_copies_and_hides_none(places: tuple[int, ...]) -> None:
    words = [clicked(word(seed), *places) for seed in range(20)]
    copies = [noisy(shifted(words[row], 500), 50) for row in range(3)]
    assert found(np.array(words + copies)) == {(row, 20 + row) for row in range(3)}


@pytest.mark.parametrize("pedestal", [300, 16_000])
def test_a_pedestal_that_all_clips_share_makes_no_copies_and_hides_none(pedestal: int) -> None:
    def raised(clip: np.ndarray) -> np.ndarray:
        """A clip of 0.8 s on a pedestal, between the zeros of padding."""
        return np.pad(quantised(clip[1_600:-1_600] * 0.02 + pedestal), 1_600)

    words = [raised(word(seed)) for seed in range(12)]
    copies = [raised(noisy(word(row), 25)) for row in range(3)]
    assert found(np.array(words + copies)) == {(row, 12 + row) for row in range(3)}


def test_a_pedestal_alone_is_silence() -> None:
    flat = np.pad(np.full(12_000, 500, np.int16), 2_000)
    assert found(np.array([flat, flat, 2 * flat, flat + 1])) == set()
    assert find_copies_across(np.array([flat]), np.array([flat, 2 * flat]), sample_rate=RATE) == []
