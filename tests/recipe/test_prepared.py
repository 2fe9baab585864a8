"""The clips of a recipe as one object: packed, divided, compared."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from conftest import write_tones
from runs_made import small_prepared, small_recipe
from sayso.config.schema import dump
from sayso.data.datasets.folder import FolderConfig
from sayso.data.datasets.synthetic import SyntheticConfig
from sayso.data.splits import SplitSettings
from sayso.errors import DataError, SettingsError
from sayso.recipe.prepared import pack_clips, prepare
from sayso.recipe.recipe import recipe_from_values
from sayso.recipe.rejection import Rejection
from sayso.system.progress import Progress


def test_clips_are_listed_and_packed_once(tone_folder, monkeypatch):
    listed = []
    recipe = small_recipe(tone_folder)
    kind = type(recipe.dataset)
    real = kind.listing
    monkeypatch.setattr(kind, "listing", lambda self, progress: listed.append(1) or real(self, progress))
    plain = small_prepared(tone_folder)
    dataset = replace(recipe.dataset, reject_words=("middle",))
    prepared = pack_clips(replace(recipe, dataset=dataset), Progress()).divide(plain.recipe, Progress())
    assert plain.unknown_words is None
    assert len(prepared.unknown_clips) == 12
    assert "shared_speakers" in plain.leakage.facts
    assert listed == [1, 1]


def test_the_same_clips_can_be_divided_otherwise(tone_folder):
    recipe = small_recipe(tone_folder)
    packed = pack_clips(recipe, Progress())
    fold = replace(recipe, split=SplitSettings(folds="leave-one-speaker-out", fold=1))
    one, other = packed.divide(recipe, Progress()), packed.divide(fold, Progress())
    assert one.corpus is other.corpus
    assert {one.corpus.clips[row].speaker for row in other.split.test} == {"bob"}
    assert one.split.split_hash != other.split.split_hash
    assert other.recipe == fold


def test_notes_are_those_of_clips_split_and_leakage(tone_folder):
    prepared = small_prepared(tone_folder, keep="last")
    told = (*prepared.corpus.notes, prepared.quick_look, *prepared.split.notes, *prepared.leakage.notes)
    assert prepared.notes == told
    shared = prepared_randomly(tone_folder)
    assert any("speakers shared" in note for note in shared.notes)


def prepared_randomly(folder):
    recipe = replace(small_recipe(folder), split=SplitSettings(by="random"))
    return pack_clips(recipe, Progress()).divide(recipe, Progress())


def test_a_split_that_cannot_be_is_told(tone_folder):
    recipe = replace(small_recipe(tone_folder), split=SplitSettings(test_speakers=("eve",)))
    with pytest.raises(DataError, match=r"split\.test_speakers names eve, unknown here; there are ann, bob, cas, dee"):
        pack_clips(recipe, Progress()).divide(recipe, Progress())


def test_a_clip_that_is_there_twice_is_not_parted_by_validation(tone_folder):
    for path in sorted(tone_folder.glob("*/*_0.wav")):
        shutil.copy(path, path.with_name(path.name.replace("_0", "_7")))
    recipe = small_recipe(tone_folder, validation_share=0.4)
    for seed in range(5):
        training = replace(recipe.training, seed=seed)
        prepared = prepare(replace(recipe, training=training), Progress())
        assert len(prepared.split.validation) >= 6
        assert prepared.leakage.facts["copies_in_validation"] == []


def test_few_validation_clips_do_not_choose_the_epoch_and_that_is_said(tone_folder):
    prepared = small_prepared(tone_folder)
    said = [
        note for note in prepared.notes if "too few to choose an epoch by (it takes 20): the last one counts" in note
    ]
    assert len(prepared.split.validation) < 20
    assert len(said) == 1
    assert said[0].startswith(f"{len(prepared.split.validation)} validation clips are")
    assert not any("chosen" in note for note in prepared.notes)
    quiet = small_prepared(tone_folder, keep="last"), small_prepared(tone_folder, validation="none")
    assert not any("too few to choose" in note for each in quiet for note in each.notes)


@pytest.mark.parametrize(("keys", "few"), [({"validation": "none"}, "no"), ({}, "too few")])
def test_patience_that_has_nothing_to_wait_for_is_told(tone_folder, keys, few):
    said = f"training.patience has {few} validation clips to wait for: all 2 epochs are trained"
    assert said in small_prepared(tone_folder, patience=3, **keys).notes
    assert said not in small_prepared(tone_folder, **keys).notes


def test_what_a_quick_look_finds_is_noted_with_the_command_that_looks_closer(tone_folder):
    for path in sorted((tone_folder / "middle").glob("*_[12].wav")):
        path.unlink()
    prepared = small_prepared(tone_folder)
    assert prepared.quick_look in prepared.notes
    said = "only 4 recordings of 'middle', which nobody learns from so few"
    assert prepared.quick_look.endswith(f"{said}: sayso audit {tone_folder} looks closer")


def test_voices_that_nobody_recorded_are_not_looked_at(tone_folder):
    prepared = small_prepared(tone_folder)
    made = replace(prepared.recipe, dataset=SyntheticConfig())
    assert prepared.quick_look is not None
    assert replace(prepared, recipe=made).quick_look is None


def test_clips_are_named_by_as_much_of_their_path_as_tells_them_apart(tmp_path):
    folder = write_tones(tmp_path / "tones")
    for word in ("low", "high"):
        for path in sorted((folder / word).iterdir()):
            speaker, number = path.stem.split("_")
            path.with_name(speaker).mkdir(exist_ok=True)
            path.rename(path.with_name(speaker) / f"{number}.wav")
    shutil.rmtree(folder / "middle")
    shutil.copy(folder / "low" / "ann" / "0.wav", folder / "low" / "bob" / "7.wav")
    shutil.copy(folder / "low" / "ann" / "0.wav", folder / "high" / "bob" / "8.wav")
    (folder / "low" / "cas" / "9.wav").write_bytes(b"RIFF")
    dataset = FolderConfig(path=str(folder), allow_copies=("*",))
    notes = " ".join(prepare(replace(small_recipe(tmp_path), dataset=dataset), Progress()).notes)
    assert "low/ann/0.wav" in notes
    for short in (" ann/0.wav", "(ann/0.wav", " 0.wav", "(0.wav"):
        assert short not in notes


def test_so_many_minutes_of_the_recordings_are_used_and_more_are_the_same_and_more(tone_folder, tmp_path):
    radio = tmp_path / "radio"
    radio.mkdir()
    for name in "abcd":
        soundfile.write(radio / f"{name}.wav", np.full(8000 * 3, 0.1), 8000)
    recipe = small_recipe(tone_folder)

    def sounds(minutes, seed=0):
        rejection = Rejection(recordings=(str(radio),), minutes=minutes)
        training = replace(recipe.training, seed=seed)
        read = prepare(replace(recipe, rejection=rejection, training=training), Progress()).recordings
        return list(zip(read.names, map(len, read.sounds), strict=True))

    some, more = sounds(4 / 60), sounds(8 / 60)
    assert [length for _, length in some] == [24_000, 8_000]
    assert [name for name, _ in more[:2]] == [name for name, _ in some]
    assert sum(length for _, length in more) == 64_000
    assert len({tuple(name for name, _ in sounds(8 / 60, seed)) for seed in range(6)}) > 1
    assert len(sounds(None)) == 4
    assert sum(length for _, length in sounds(9.0)) == 4 * 24_000
    with pytest.raises(SettingsError, match=r"rejection\.minutes: is 2, but there are no recordings"):
        recipe_from_values(dump(recipe) | {"rejection": {"minutes": 2}}, source="test")


def test_long_recordings_are_no_clips_of_the_words(tone_folder, tmp_path):
    recipe = small_recipe(tone_folder)
    radio = tmp_path / "radio"
    radio.mkdir()
    soundfile.write(radio / "talk.wav", np.full(8000 * 3, 0.1), 8000)
    listening = replace(recipe, rejection=Rejection(recordings=(str(radio),)))
    assert len(prepare(listening, Progress()).recordings.names) == 1
    shutil.copy(next(tone_folder.rglob("*.wav")), radio / "copy.wav")
    told = r"rejection\.recordings \(--negatives\) holds 1 clip of the wanted words themselves \(.*copy\.wav\); leave"
    with pytest.raises(DataError, match=told):
        _ = prepare(listening, Progress()).recordings
