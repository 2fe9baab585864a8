"""Noise of any folder: read beside that of the data set, repeated where it is short, told where it is not there."""

from dataclasses import replace

import pytest
import torch

from runs_made import prepared_by, small_prepared, small_recipe
from sayso.augment.noise import NoiseConfig
from sayso.errors import DataError
from sayso.recipe.source import find_recipe
from sayso.system.progress import Progress
from sayso.training import choose_hardware
from sayso.training.resume import identify
from sayso.training.sources import Sources
from sounds_made import sine, write

HUM, SAMPLES = 3000, 4000  # hertz; of a clip of half a second


@pytest.fixture
def hums(tmp_path):
    """A folder with other sound: one file longer than a clip, one far shorter."""
    (tmp_path / "hums" / "deep").mkdir(parents=True)
    write(tmp_path / "hums" / "long.wav", sine(HUM, seconds=3))
    write(tmp_path / "hums" / "deep" / "short.wav", sine(HUM, seconds=0.1))
    return tmp_path / "hums"


def noisy(folder, *places):
    noise = NoiseConfig(probability=1, lowest_snr_db=0, highest_snr_db=0, recordings=tuple(map(str, places)))
    return replace(small_recipe(folder), augment=(noise,))


def test_clips_get_the_noise_of_any_folder(tone_folder, hums):
    recipe = noisy(tone_folder, hums)
    prepared = prepared_by(recipe, small_prepared(tone_folder))
    words = Sources.of(recipe.features.build(recipe.audio), prepared, choose_hardware(recipe.training)).words
    clips = 0.1 * torch.randn(300, SAMPLES, generator=torch.Generator().manual_seed(1))
    added = words.augmented(clips, torch.Generator().manual_seed(0)) - clips
    power = torch.fft.rfft(added).abs().square()
    share = power[:, HUM // 2 - 25 : HUM // 2 + 26].sum(1) / power.sum(1)
    # White noise is one more recording, so two clips of three have the hum, and have it all along.
    assert 0.55 < float((share > 0.9).float().mean()) < 0.78
    quarters = added[share > 0.9].reshape(-1, 4, SAMPLES // 4).square().mean(2)
    assert bool((quarters.amin(1) > 0.5 * quarters.amax(1)).all())


def test_every_speaker_who_is_left_out_has_the_same_noise(tone_folder, hums):
    prepared = prepared_by(noisy(tone_folder, hums), small_prepared(tone_folder))
    assert small_prepared(tone_folder).background is None
    fold = prepared.without_speaker(prepared.test_speakers[0])
    assert fold.background is prepared.background
    assert [len(sound) for sound in prepared.background.sounds] == [800, 24_000]


def test_files_that_cannot_be_read_are_noted_and_a_place_that_is_not_there_is_told(tone_folder, hums):
    (hums / "no.wav").write_bytes(b"nothing")
    notes = prepared_by(noisy(tone_folder, hums), small_prepared(tone_folder)).notes
    assert any("1 other recording skipped" in note and "no.wav" in note for note in notes)
    with pytest.raises(DataError, match="elsewhere: no such file or folder"):
        _ = prepared_by(noisy(tone_folder, "elsewhere"), small_prepared(tone_folder)).notes


def test_recordings_are_kept_with_their_whole_paths(tone_folder, hums, monkeypatch):
    monkeypatch.chdir(hums.parent)
    _, recipe = find_recipe(noisy(tone_folder, "hums"), progress=Progress())
    assert recipe.augment == noisy(tone_folder, hums).augment


def test_a_training_is_gone_on_from_with_the_same_noise_alone(tone_folder, hums):
    prepared = small_prepared(tone_folder)
    without = identify(prepared_by(replace(small_recipe(tone_folder), augment=(NoiseConfig(),)), prepared))
    # As an earlier Sayso wrote it, which knew of no recordings.
    assert without["augment"] == [{"kind": "noise", "probability": 0.8, "lowest_snr_db": 5.0, "highest_snr_db": 30.0}]
    before = identify(prepared_by(noisy(tone_folder, hums), prepared))
    moved = hums.rename(hums.with_name("moved"))
    assert identify(prepared_by(noisy(tone_folder, moved), prepared)) == before
    write(moved / "long.wav", sine(2 * HUM, seconds=3))
    assert identify(prepared_by(noisy(tone_folder, moved), prepared)) != before


def test_another_recipe_on_the_same_clips_hears_its_own_noise(tone_folder, hums):
    prepared = prepared_by(noisy(tone_folder, hums / "deep"), small_prepared(tone_folder))
    assert len(prepared.background.sounds) == 1
    assert len(prepared.for_recipe(noisy(tone_folder, hums)).background.sounds) == 2
    assert prepared.for_recipe(small_recipe(tone_folder)).background is None
