"""Clips that a person gives to the training alone never validate or test, however the others are divided."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import write_tones
from folders_made import listing_of, rows, touch, write_manifest
from runs_made import small_recipe
from sayso.data.datasets.folder import FolderConfig, none_of_these
from sayso.data.splits import SplitSettings
from sayso.errors import DataError
from sayso.recipe.defaults import suggest_recipe
from sayso.recipe.prepared import Prepared, prepare
from sayso.system.progress import Progress
from sayso.training import choose_hardware
from sayso.training.learner import Learner, new_learner

RECORDED = ("yes/ann/1.wav", "yes/bob/1.wav", "no/ann/1.wav", "no/bob/1.wav")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Four people recorded; beside them a clip of each word by the first, and two of the second who says no word."""
    folder = write_tones(tmp_path / "clips")
    extra = write_tones(tmp_path / "extra", speakers=("ann", "bob"), clips=2, seed=9)
    for word in ("high", "low", "middle"):
        (folder / "_training_only_" / word).mkdir(parents=True)
        shutil.copy(extra / word / "ann_0.wav", folder / "_training_only_" / word / "ann_7.wav")
    for index in range(2):
        (folder / "_none_of_these_" / "bob").mkdir(parents=True, exist_ok=True)
        shutil.copy(extra / "high" / f"bob_{index}.wav", folder / "_none_of_these_" / "bob" / f"{index}.wav")
    return folder


def prepared(folder: Path, **split: Any) -> Prepared:
    recipe = small_recipe(folder)
    none = none_of_these(folder)
    assert none is not None
    rejection = dataclasses.replace(recipe.rejection, negatives=(none,))
    return prepare(dataclasses.replace(recipe, split=SplitSettings(**split), rejection=rejection), Progress())


def only_training(made: Prepared) -> set[int]:
    return {row for row, clip in enumerate(made.corpus.clips) if "_training_only_" in clip.path}


def test_a_folder_and_its_manifest_list_the_same(tmp_path: Path) -> None:
    folder = touch(tmp_path / "clips", *RECORDED, "_training_only_/yes/ann/2.wav", "_none_of_these_/ann/3.wav")
    text = "path,label,speaker,split\n" + "".join(
        f"{path},{path.split('/')[0]},{path.split('/')[1]},\n" for path in sorted(RECORDED)
    )
    text += "_training_only_/yes/ann/2.wav,yes,ann,training only\n_none_of_these_/ann/3.wav,_none_of_these_,ann,\n"
    manifest = write_manifest(folder / "clips.csv", text)
    by_folder, by_manifest = listing_of(folder), listing_of(manifest)
    assert by_folder.clips == by_manifest.clips
    assert rows(by_folder, folder)[-1] == ("_training_only_/yes/ann/2.wav", "yes", "ann")
    assert [clip.part for clip in by_folder.clips if clip.keeps_part] == ["train"]
    assert by_folder.notes == by_manifest.notes == ("1 clip of 5 only train: none of them validates or is tested",)
    assert none_of_these(folder) == none_of_these(manifest) == FolderConfig(path=str(folder / "_none_of_these_"))


def test_clips_of_no_word_that_nobody_finds_are_told(tmp_path: Path) -> None:
    folder = touch(tmp_path / "clips", *RECORDED, "yes/_none_of_these_/9.wav")
    rows = "".join(f"{path},{path.split('/')[0]}\n" for path in sorted(RECORDED))
    manifest = write_manifest(folder / "clips.csv", f"path,label\n{rows}yes/_none_of_these_/9.wav,_none_of_these_\n")
    for listing in (listing_of(folder), listing_of(manifest)):
        assert listing.notes[-1] == (
            f"1 clip of _none_of_these_ is left out, such as _none_of_these_/9.wav: those in {folder}/_none_of_these_ "
            "train as none of the words"
        )


def test_what_only_trains_brings_no_word_of_its_own(tmp_path: Path) -> None:
    folder = touch(tmp_path, *RECORDED, "_training_only_/maybe/ann/2.wav")
    listing = listing_of(folder)
    assert {clip.label for clip in listing.clips} == {"yes", "no"}
    assert listing.notes == ("1 clip that would only train left out: nothing else says 'maybe'",)


def test_what_says_none_of_the_words_is_a_data_set_of_its_own(tmp_path: Path) -> None:
    touch(tmp_path, *RECORDED, "_none_of_these_/ann/3.wav", "_none_of_these_/4.wav")
    none = none_of_these(tmp_path)
    assert none is not None
    listing = none.kept_listing(Progress())
    assert {(clip.label, clip.speaker) for clip in listing.clips} == {
        ("_none_of_these_", "ann"),
        ("_none_of_these_", None),
    }
    shutil.rmtree(tmp_path / "_none_of_these_" / "ann")
    (tmp_path / "_none_of_these_" / "4.wav").unlink()
    assert none_of_these(tmp_path) is None


def test_a_part_that_a_manifest_names_wrongly_is_told(tmp_path: Path) -> None:
    path = write_manifest(tmp_path / "clips.csv", "path,label,split\nyes/1.wav,yes,training onlz\n")
    with pytest.raises(DataError, match="unknown split 'training onlz'; did you mean 'training only'"):
        listing_of(path)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "split",
    [
        {},
        {"by": "random"},
        {"by": "random", "validation": "share", "validation_share": 0.9},
        {"by": "speakers", "test_share": 0.9},
        {"by": "speakers", "validation": "none"},
        {"folds": 2, "fold": 1},
        *({"folds": "leave-one-speaker-out", "fold": fold} for fold in range(4)),
        {"by": "each_speaker"},
    ],
)
def test_no_split_validates_or_tests_it(made: Path, split: dict[str, Any], seed: int) -> None:
    divided = prepared(made, **split, seed=0 if split.get("by") == "each_speaker" else seed)
    only, parts = only_training(divided), divided.split
    assert len(only) == 3
    assert not only & {*parts.validation.tolist(), *parts.test.tolist()}
    assert len(parts.test) > 0
    assert "3 clips of 39 only train: none of them validates or is tested" in divided.notes
    is_left_out = parts.kind == "speakers" and "ann" in divided.test_speakers
    assert only & set(parts.train.tolist()) == (set() if is_left_out else only)
    assert ("3 clips of test speakers that only train left out" in divided.notes) == is_left_out


def test_a_validation_of_voices_that_are_heard_is_told(made: Path) -> None:
    told = set[bool]()
    for tested in (("bob",), ("cas",), ("dee",), ("bob", "cas"), ("bob", "dee"), ("cas", "dee")):
        divided = prepared(made, by="speakers", validation="speakers", test_speakers=tested)
        heard = {divided.corpus.clips[row].speaker for row in divided.split.validation}
        notes = [note for note in divided.notes if "3 clips of validation speakers only train" in note]
        assert bool(notes) == ("ann" in heard)
        told.add(bool(notes))
    assert told == {True, False}


@pytest.mark.parametrize("name", ["ann", "bob", "cas"])
def test_who_is_left_out_in_turn_is_not_heard_in_it_either(made: Path, name: str) -> None:
    whole = prepared(made, by="each_speaker")
    fold = whole.without_speaker(name)
    only = only_training(whole)
    assert not only & set(fold.split.test.tolist())
    assert only & set(fold.split.train.tolist()) == (set() if name == "ann" else only)
    assert only <= set(whole.split.train.tolist())
    assert whole.negatives is not None
    assert whole.negatives.spoken == 2
    assert fold.unheard_negatives.tolist() == ([0, 1] if name == "bob" else [])
    learner = new_learner(Learner, fold, choose_hardware(fold.recipe.training))
    drawn = np.concatenate([learner._negatives(0, step) for step in range(learner.steps_per_epoch)])
    assert sorted(drawn.tolist()) == sorted(set(range(len(whole.negatives))) - set(fold.unheard_negatives.tolist()))


@pytest.mark.parametrize("small", [True, False])
def test_a_bare_folder_takes_them_and_leaves_each_speaker_out_all_the_same(made: Path, small: bool) -> None:
    from sayso.recipe.defaults import Wishes

    for path in (*made.glob("[hlm]*/*.wav"), *made.glob("_training_only_/*/*.wav")):
        folder = path.parent / path.stem.split("_")[0]
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
    recipe = suggest_recipe(made, wishes=Wishes(small=small), progress=Progress())
    none = none_of_these(made)
    assert none in recipe.rejection.negatives
    assert (recipe.split.by == "each_speaker") == (not small)
    alone = suggest_recipe(made, wishes=Wishes(recordings_alone=True), progress=Progress())
    assert alone.rejection.negatives == ()
