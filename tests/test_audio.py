"""From sound files to clips."""

import os
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from sayso.audio import (
    AudioFormat,
    Fit,
    clip_from_file,
    clip_from_samples,
    decode,
    fit_length,
    probe,
    quantise,
    read_sound,
    resample,
    to_float,
)
from sayso.errors import AudioError, SettingsError
from sounds_made import ONE_SECOND, RATE, hiss, refusal, sine, write

# Format, subtype, and the largest difference a round trip may leave (in [-1, 1]).
KINDS = [
    ("wav", "WAV", "PCM_U8", 1 / 128),
    ("wav", "WAV", "PCM_16", 1 / 32768),
    ("wav", "WAV", "PCM_24", 1e-6),
    ("wav", "WAV", "PCM_32", 1e-6),
    ("wav", "WAV", "FLOAT", 1e-6),
    ("wav", "WAV", "DOUBLE", 1e-6),
    ("wav", "WAVEX", "PCM_16", 1 / 32768),
    ("wav", "WAV", "ULAW", 0.02),
    ("flac", "FLAC", "PCM_S8", 1 / 128),
    ("flac", "FLAC", "PCM_16", 1 / 32768),
    ("flac", "FLAC", "PCM_24", 1e-6),
    ("aiff", "AIFF", "PCM_16", 1 / 32768),
    ("aiff", "AIFF", "FLOAT", 1e-6),
    ("ogg", "OGG", "VORBIS", 0.1),
    ("opus", "OGG", "OPUS", 0.1),
    ("mp3", "MP3", "MPEG_LAYER_III", 0.1),
]
CUT = [("wav", "PCM_16"), ("wav", "PCM_24"), ("wav", "FLOAT"), ("aiff", "PCM_16"), ("flac", "PCM_16"), ("mp3", None)]


# ---- what can be read


@pytest.mark.parametrize(("ending", "form", "subtype", "tolerance"), KINDS)
def test_every_format(tmp_path: Path, ending: str, form: str, subtype: str, tolerance: float) -> None:
    wanted = sine()
    path = write(tmp_path / f"a.{ending}", wanted, format=form, subtype=subtype)
    samples, rate = decode(path)
    assert samples.dtype == np.float32
    resampled = resample(samples, rate, RATE)
    assert np.abs(resampled[: len(wanted)] - wanted)[200:-200].max() <= tolerance
    seconds, header_rate = probe(path)
    assert header_rate == rate
    assert seconds == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("channels", [2, 5])
def test_channels_are_averaged(tmp_path: Path, channels: int, subtype: str) -> None:
    sounds = np.stack([sine(300 * (1 + channel)) for channel in range(channels)], axis=1)
    samples, _ = decode(write(tmp_path / "a.wav", sounds, subtype=subtype))
    assert samples.shape == (RATE,)
    np.testing.assert_allclose(samples, sounds.mean(axis=1), atol=1 / 32768)


@given(arrays.arrays(np.int16, st.integers(1, 60)), st.sampled_from(["centre", "start", "loudest"]))
def test_int16_is_kept_exactly_as_the_way_through_floats_would(samples: NDArray[np.int16], fit: Fit) -> None:
    audio = AudioFormat(sample_rate=1000, clip_seconds=0.02, fit=fit)
    direct = clip_from_samples(samples, 1000, audio)
    assert np.array_equal(direct, clip_from_samples(to_float(samples), 1000, audio))
    assert np.array_equal(clip_from_samples(samples, 1500, audio), clip_from_samples(to_float(samples), 1500, audio))


@pytest.mark.parametrize("ending", ["wav", "flac", "aiff"])
def test_int16_files_give_their_own_numbers(tmp_path: Path, ending: str) -> None:
    wanted = np.random.default_rng(0).integers(-32768, 32768, RATE).astype(np.int16)
    path = write(tmp_path / f"a.{ending}", wanted, subtype="PCM_16")
    clip = clip_from_file(path, ONE_SECOND)
    assert clip.dtype == np.int16
    assert np.array_equal(clip, wanted)
    assert np.array_equal(quantise(decode(path)[0]), wanted)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_resampling_against_the_sine_itself(tmp_path: Path, rate: int) -> None:
    path = write(tmp_path / "a.wav", sine(1000, rate=rate), rate=rate, subtype="FLOAT")
    clip = to_float(clip_from_file(path, ONE_SECOND))
    assert clip.shape == (RATE,)
    assert np.abs(clip - sine(1000))[400:-400].max() < 2e-4


def test_resampling_keeps_out_what_the_lower_rate_cannot_hold() -> None:
    high = resample(sine(12_000, rate=48_000), 48_000, RATE)
    assert np.abs(high[400:-400]).max() < 1e-3


@pytest.mark.parametrize("samples", [1, 2, 7])
@pytest.mark.parametrize("rate", [1_000, 8_000, 768_000])
def test_the_shortest_files(tmp_path: Path, samples: int, rate: int) -> None:
    path = write(tmp_path / "a.wav", np.ones(samples), rate=rate)
    assert clip_from_file(path, ONE_SECOND).shape == (RATE,)


def test_start_and_end(tmp_path: Path) -> None:
    ramp = np.arange(4 * RATE, dtype=np.int16)
    for ending in ("wav", "flac"):
        path = write(tmp_path / f"a.{ending}", ramp)
        part = clip_from_file(path, ONE_SECOND, start_seconds=1.5, end_seconds=2.5)
        assert np.array_equal(part, ramp[24_000:40_000])
        assert len(decode(path, start_seconds=3.5)[0]) == RATE // 2
        assert len(decode(path, end_seconds=0.25)[0]) == RATE // 4
        assert len(decode(path, start_seconds=-1.0, end_seconds=99.0)[0]) == 4 * RATE
        for bounds in ((2.0, 2.0), (3.0, 1.0), (9.0, None), (None, 0.0)):
            line = refusal(path, start_seconds=bounds[0], end_seconds=bounds[1])
            assert line == "holds no sound between start and end"


# ---- what cannot


@pytest.mark.parametrize(("ending", "subtype"), CUT)
@pytest.mark.parametrize("share", [0.99, 0.6, 0.2])
def test_a_file_that_is_cut_short(tmp_path: Path, ending: str, subtype: str | None, share: float) -> None:
    # The length of an MP3 is an estimate, good to some thousand samples.
    share = min(share, 0.9) if ending == "mp3" else share
    whole = write(tmp_path / f"whole.{ending}", hiss(), subtype=subtype)
    clip_from_file(whole, ONE_SECOND)
    content = whole.read_bytes()
    cut = tmp_path / f"cut.{ending}"
    cut.write_bytes(content[: int(share * len(content))])
    assert "cut short" in refusal(cut)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
@pytest.mark.parametrize("share", [0.99, 0.6, 0.2])
def test_an_ogg_that_is_cut_short(tmp_path: Path, subtype: str, share: float) -> None:
    whole = write(tmp_path / "whole.ogg", hiss(), format="OGG", subtype=subtype)
    clip_from_file(whole, ONE_SECOND)
    content = whole.read_bytes()
    inside_a_page = int(share * len(content))
    between_pages = content.rindex(b"OggS", 0, inside_a_page)
    cut = tmp_path / "cut.ogg"
    cut.write_bytes(content[:inside_a_page])
    assert "cut short" in refusal(cut)
    # A whole page may be the last one of a recorder that was stopped.
    cut.write_bytes(content[:between_pages])
    try:
        remarks = list(read_sound(cut).remarks)
    except AudioError as error:
        remarks = [str(error)]
    assert remarks[0] == "its last page is not marked as the last, so that its end may be missing" or (
        share == 0.2 and "cut short" in remarks[0]
    )


@pytest.mark.parametrize("claimed", [0xFFFF_FFFF, 0x7FFF_FFFF, 0x8000_0000, 0x7FFF_F024])
def test_a_wav_that_was_piped_claims_no_length(tmp_path: Path, claimed: int) -> None:
    path = write(tmp_path / "a.wav", quantise(sine()))
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = struct.pack("<I", claimed)
    path.write_bytes(content)
    assert np.array_equal(clip_from_file(path, ONE_SECOND), quantise(sine()))


def test_more_after_the_sound_does_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", quantise(sine()))
    with path.open("ab") as file:
        file.write(b"LIST" + struct.pack("<I", 4) + b"INFO")
    assert np.array_equal(clip_from_file(path, ONE_SECOND), quantise(sine()))


def test_missing_empty_folder_and_text(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing.wav") == "no such file"
    (tmp_path / "empty.wav").touch()
    assert refusal(tmp_path / "empty.wav") == "is empty (0 bytes)"
    assert refusal(tmp_path) == "is a folder, not a sound file"
    (tmp_path / "text.wav").write_text("This is not a sound.\n" * 50)
    assert refusal(tmp_path / "text.wav").startswith("cannot be read as sound")
    with pytest.raises(AudioError, match="no such file"):
        probe(tmp_path / "nothing.wav")
    with pytest.raises(AudioError, match="cannot be read as sound"):
        probe(tmp_path / "text.wav")


def test_a_header_without_sound(tmp_path: Path) -> None:
    for ending in ("wav", "aiff"):
        assert refusal(write(tmp_path / f"a.{ending}", np.zeros(0, np.int16))) == "holds no sound"


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", sine())

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(soundfile, "SoundFile", refuse)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert refusal(path) == "no permission to read it"


def test_links_that_lead_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    (tmp_path / "round.wav").symlink_to(tmp_path / "round.wav")
    for name in ("gone.wav", "round.wav"):
        assert refusal(tmp_path / name) == "is a link to a file that is not there"


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (Path("/dev/null"), tmp_path / "pipe.wav"):
        assert refusal(path).startswith("is no regular file but a pipe, socket or device; write its sound to a file")
        with pytest.raises(AudioError, match="is no regular file"):
            probe(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_samples_that_are_no_numbers(tmp_path: Path, bad: float, subtype: str) -> None:
    samples = sine()
    samples[77] = bad
    assert "not numbers" in refusal(write(tmp_path / "a.wav", samples, subtype=subtype))


@pytest.mark.parametrize("rate", [1, 999, 768_001, 10_000_000])
def test_absurd_sample_rates(tmp_path: Path, rate: int) -> None:
    line = refusal(write(tmp_path / "a.wav", sine(), rate=rate))
    assert line == f"sample rate {rate} Hz, must be 1000 to 768000 Hz"


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xe9.wav")
    write(tmp_path / "a.wav", sine()).rename(path)
    assert len(clip_from_file(path, ONE_SECOND)) == ONE_SECOND.clip_samples
    assert probe(path) == (1.0, RATE)
    path.write_text("no sound")
    with pytest.raises(AudioError, match="cannot be read") as caught:
        clip_from_file(path, ONE_SECOND)
    assert str(caught.value).encode()


@given(st.binary(max_size=300), st.sampled_from(["wav", "flac", "ogg", "mp3", "aiff"]), st.integers(0, 400))
def test_damage_is_refused_or_read_but_never_crashes(damage: bytes, ending: str, place: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / f"a.{ending}", sine(seconds=0.2))
        content = path.read_bytes()
        place = min(place, len(content))
        path.write_bytes(content[:place] + damage + content[place + len(damage) :])
        try:
            assert clip_from_file(path, ONE_SECOND).shape == (RATE,)
        except AudioError as error:
            text = str(error)
            assert "\n" not in text


# ---- fitting and quantising


@given(st.integers(1, 50), st.integers(1, 50), st.sampled_from(["centre", "start", "loudest"]))
def test_fitting_gives_the_length_and_loses_only_what_it_must(samples: int, length: int, fit: Fit) -> None:
    sound = np.arange(1, samples + 1, dtype=np.float32)
    fitted = fit_length(sound, length, fit)
    assert fitted.shape == (length,)
    kept = fitted[fitted > 0]
    assert len(kept) == min(samples, length)
    assert np.array_equal(np.diff(kept), np.ones(len(kept) - 1))


def test_fit_modes() -> None:
    sound = np.array([0, 0, 1, 2, 9, 8, 0], dtype=np.float32)
    assert fit_length(sound, 2, "loudest").tolist() == [9, 8]
    assert fit_length(sound, 2, "start").tolist() == [0, 0]
    assert fit_length(sound, 3, "centre").tolist() == [1, 2, 9]
    assert fit_length(sound[:2] + 1, 5, "start").tolist() == [1, 1, 0, 0, 0]
    assert fit_length(sound[:2] + 1, 5, "centre").tolist() == [0, 1, 1, 0, 0]
    assert fit_length(sound[:2] + 1, 5, "loudest").tolist() == [0, 1, 1, 0, 0]


@given(arrays.arrays(np.int16, st.integers(1, 60)), st.integers(1, 60))
def test_the_loudest_part_has_nearly_all_that_any_has(samples: NDArray[np.int16], length: int) -> None:
    def energy(part: NDArray[np.int16]) -> int:
        return sum(int(value) ** 2 for value in part)

    fitted = fit_length(samples, length, "loudest")
    windows = [samples[start : start + length] for start in range(max(1, len(samples) - length + 1))]
    assert energy(fitted) >= 0.98 * max(map(energy, windows))


@pytest.mark.parametrize("floor", [0.0, 0.003])
@pytest.mark.parametrize(("before", "behind"), [(2.0, 2.0), (0.3, 4.0), (3.0, 0.9)])
def test_a_word_in_a_long_recording_lies_well_within_its_clip(floor: float, before: float, behind: float) -> None:
    """At its edge, where the first of all windows that hold the word has it, models understand it far worse."""
    audio = AudioFormat(sample_rate=8000, clip_seconds=1.5, fit="loudest")
    start, seconds = round(before * 8000), 0.4
    sound = floor * np.random.default_rng(0).standard_normal(round((before + seconds + behind) * 8000))
    sound[start : start + 3200] += 0.2 * np.sin(np.arange(3200))
    clip = clip_from_samples(sound.astype(np.float32), 8000, audio)
    places = np.flatnonzero(np.abs(clip) > 0.1 * 32768)
    assert len(places) > 1000
    assert 0.1 < places[0] / 8000 < places[-1] / 8000 < 1.4


@given(arrays.arrays(np.int16, st.integers(1, 60)))
def test_quantise_undoes_to_float(samples: NDArray[np.int16]) -> None:
    floats = to_float(samples)
    assert floats.dtype == np.float32
    assert np.abs(floats).max() <= 1
    assert np.array_equal(quantise(floats), samples)


@given(arrays.arrays(np.float32, st.integers(1, 60), elements=st.floats(-3, 3, width=32)))
def test_quantise_rounds_to_the_nearest_and_clips(samples: NDArray[np.float32]) -> None:
    error = np.abs(to_float(quantise(samples)) - np.clip(samples, -1, 32767 / 32768))
    assert error.max() <= 0.5 / 32768 + 1e-9


def test_audio_format_has_limits() -> None:
    assert AudioFormat(sample_rate=8000, clip_seconds=0.5).clip_samples == 4000
    for wrong in ({"sample_rate": 999}, {"sample_rate": 192_001}, {"clip_seconds": 0}, {"clip_seconds": 61}):
        with pytest.raises(SettingsError):
            AudioFormat(**wrong)  # type: ignore[arg-type]


# ---- what libraries say by themselves


def doubtful_mp3(path: Path) -> Path:
    """An MP3 with other bytes between its frames, which libmpg123 has much to say about."""
    content = write(path, hiss(), format="MP3").read_bytes()
    path.write_bytes(content[:3_000] + bytes(range(256)) * 3 + content[3_000:])
    return path


def test_libmpg123_does_not_write_to_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = doubtful_mp3(tmp_path / "a.mp3")
    soundfile.read(path)
    if "Xing" not in capfd.readouterr().err:
        pytest.skip("this libsndfile is quiet by itself")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: (clip_from_file(path, ONE_SECOND), probe(path)), range(20)))
    sys.stderr.write("Python is heard\n")
    assert capfd.readouterr().err == "Python is heard\n"
    # What others have to say is heard again.
    soundfile.read(path)
    assert "Xing" in capfd.readouterr().err
