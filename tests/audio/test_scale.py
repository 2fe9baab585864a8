"""Numbers outside [-1, 1], and channels that would cancel one another."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from sayso.audio import AudioFormat, clip_from_file, decode, quantise, read_sound
from sayso.errors import AudioError

RATE = 8000
ONE_SECOND = AudioFormat(sample_rate=RATE)
FLOATS = ["FLOAT", "DOUBLE"]


def voice(seed: int = 0) -> NDArray[np.float64]:
    """A second of a swelling, noisy tone with a peak of 0.5."""
    rng = np.random.default_rng(seed)
    time = np.arange(RATE) / RATE
    sound = np.hanning(RATE) * (np.sin(2 * np.pi * (300 + 40 * seed) * time) + 0.1 * rng.standard_normal(RATE))
    return 0.5 * sound / np.abs(sound).max()


def write(path: Path, samples: NDArray[np.float64], subtype: str) -> Path:
    soundfile.write(path, samples, RATE, subtype=subtype)
    return path


# ---- scale


@pytest.mark.parametrize("subtype", FLOATS)
def test_int16_stored_as_floats_is_that_int16(tmp_path: Path, subtype: str) -> None:
    wanted = quantise(voice().astype(np.float32))
    path = write(tmp_path / "a.wav", wanted.astype(np.float64), subtype)
    assert np.array_equal(clip_from_file(path, ONE_SECOND), wanted)
    assert list(read_sound(path).remarks) == ["its floats are whole numbers of int16 and were divided by 32,768"]
    assert np.abs(decode(path)[0] - voice()).max() < 1 / 32768


def test_a_faint_part_of_int16_stored_as_floats_keeps_its_scale(tmp_path: Path) -> None:
    samples = np.concatenate((np.resize([1.0, -1.0, 0.0], RATE), np.rint(9000 * voice())))
    path = write(tmp_path / "a.wav", samples, "FLOAT")
    assert np.abs(decode(path, end_seconds=1.0)[0]).max() == pytest.approx(1 / 32768)


@pytest.mark.parametrize("subtype", FLOATS)
@pytest.mark.parametrize("peak", [2.5, 300.25, 40_000.0])
def test_other_scales_are_refused_with_their_peak(tmp_path: Path, peak: float, subtype: str) -> None:
    samples = voice() * 100
    samples[4000] = peak
    with pytest.raises(AudioError, match=rf"a\.wav: samples reach {peak:,.5g}, must lie in \[-1, 1\]"):
        decode(write(tmp_path / "a.wav", samples.clip(-peak, peak), subtype))


def test_the_largest_floats_are_refused_before_they_overflow(tmp_path: Path) -> None:
    samples = np.full((RATE, 2), 3e38)
    with pytest.raises(AudioError, match=r"samples reach 3e\+38"):
        decode(write(tmp_path / "a.wav", samples, "FLOAT"))


def test_unsigned_numbers_stored_as_floats_are_not_taken_for_int16(tmp_path: Path) -> None:
    samples = np.rint(128 + 128 * voice())
    with pytest.raises(AudioError, match=f"samples reach {samples.max():.0f}, must lie"):
        decode(write(tmp_path / "a.wav", samples, "FLOAT"))


@pytest.mark.parametrize("subtype", FLOATS)
def test_what_overshoots_is_clipped_and_counted(tmp_path: Path, subtype: str) -> None:
    samples = voice()
    samples[3998:4001] = [1.01, -1.9, 2.0]
    path = write(tmp_path / "a.wav", samples, subtype)
    sound = read_sound(path)
    assert sound.beyond == 3
    assert list(sound.remarks) == ["3 samples lie outside [-1, 1] and will be clipped"]
    assert clip_from_file(path, ONE_SECOND)[3998:4001].tolist() == [32767, -32768, 32767]


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.resize([1.0, -1.0], RATE), voice()], ids=["0", "1", "voice"])
@pytest.mark.parametrize("subtype", [*FLOATS, "PCM_16", "PCM_24"])
def test_ordinary_files_have_nothing_said_of_them(tmp_path: Path, samples: NDArray[np.float64], subtype: str) -> None:
    assert list(read_sound(write(tmp_path / "a.wav", samples, subtype)).remarks) == []


# ---- channels


def channels(*sounds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack(sounds, axis=1)


SILENCE = np.zeros(RATE)
CANCEL = {
    "mirror": (channels(voice(), -0.999 * voice()), 0),
    "softer mirror": (channels(0.95 * voice(), -voice()), 1),
    "far softer mirror": (channels(voice(), -0.6 * voice()), 0),
    "mirror on an offset": (channels(voice() + 0.3, 0.3 - 0.99 * voice()), 0),
    "one of three": (channels(SILENCE, SILENCE, voice()), 2),
    "one of six": (channels(SILENCE, voice(), *[SILENCE] * 4), 1),
}
AVERAGE = {
    "the same twice": channels(voice(), voice()),
    "one of two": channels(voice(), SILENCE),
    "two voices": channels(voice(), voice(3)),
    "five voices": channels(*(voice(seed) for seed in range(5))),
    "faint mirror": channels(voice(), -0.1 * voice()),
    "silence": channels(SILENCE, SILENCE),
}


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
@pytest.mark.parametrize("kind", CANCEL)
def test_channels_that_cancel_give_the_loudest(tmp_path: Path, kind: str, subtype: str) -> None:
    samples, loudest = CANCEL[kind]
    sound = read_sound(write(tmp_path / "a.wav", samples, subtype))
    np.testing.assert_allclose(sound.samples, samples[:, loudest], atol=1 / 32768)
    says = f"its channels all but cancel one another, so channel {loudest + 1} was taken alone"
    assert list(sound.remarks) == [says]


@pytest.mark.parametrize("kind", AVERAGE)
def test_other_channels_are_averaged(tmp_path: Path, kind: str) -> None:
    sound = read_sound(write(tmp_path / "a.wav", AVERAGE[kind], "FLOAT"))
    np.testing.assert_allclose(sound.samples, AVERAGE[kind].mean(axis=1), atol=1e-6)
    assert sound.channel is None


def test_a_mirror_image_gives_either_channel(tmp_path: Path) -> None:
    sound = read_sound(write(tmp_path / "a.wav", channels(voice(), -voice()), "PCM_16"))
    np.testing.assert_allclose(np.abs(sound.samples), np.abs(voice()), atol=1 / 32768)


def test_int16_as_floats_in_channels_that_cancel(tmp_path: Path) -> None:
    samples = np.rint(20_000 * voice())
    sound = read_sound(write(tmp_path / "a.wav", channels(samples, -samples), "FLOAT"))
    np.testing.assert_allclose(sound.samples, samples / 32768, atol=1e-7)
    assert sound.was_int16


@pytest.mark.parametrize("subtype", FLOATS)
def test_what_is_no_number_is_told_without_a_warning(tmp_path: Path, subtype: str) -> None:
    sound = voice()
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype=subtype)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    # The signalling kind, of which processors tell.
    odd = np.array([0x7FA00000], "<u4") if subtype == "FLOAT" else np.array([0x7FF4000000000000], "<u8")
    content[-odd.nbytes :] = odd.tobytes()
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(AudioError, match="not numbers"):
        read_sound(tmp_path / "a.wav")
