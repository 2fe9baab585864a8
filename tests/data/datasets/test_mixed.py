"""Clips beside recordings only ever train, whatever the split, and are counted beside the score."""

import dataclasses
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from conftest import write_tones
from runs_made import small_recipe
from sayso.config.schema import dump, read
from sayso.data.datasets import DatasetConfig
from sayso.data.datasets.mixed import mix
from sayso.data.splits.settings import SplitSettings
from sayso.errors import DataError, SettingsError
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import Recipe
from sayso.system.progress import Progress

PATTERN = {"speaker": "pattern", "speaker_pattern": r"/(?P<speaker>[a-z]+)_\d"}


def folder(path: Path, **more: Any) -> dict[str, Any]:
    return {"kind": "folder", "path": str(path), **PATTERN, **more}


@pytest.fixture
def made(tmp_path: Path) -> DatasetConfig:
    """Four people recorded, two robots beside them."""
    people = write_tones(tmp_path / "people")
    robots = write_tones(tmp_path / "robots", speakers=("rob", "ron"), seed=3)
    return read(DatasetConfig, {"kind": "mixed", "recordings": folder(people), "training": [folder(robots)]})


def recipe(dataset: DatasetConfig, **split: Any) -> Recipe:
    return dataclasses.replace(small_recipe(Path()), dataset=dataset, split=SplitSettings(**split))


@pytest.mark.parametrize(
    "split",
    [
        {},
        {"by": "random"},
        {"by": "speakers", "test_share": 0.9},
        {"folds": "leave-one-speaker-out", "fold": 3},
        {"by": "random", "validation": "share", "validation_share": 0.9},
        {"by": "speakers", "validation": "none"},
    ],
)
def test_what_is_beside_only_trains(made: DatasetConfig, split: dict[str, Any]) -> None:
    prepared = prepare(recipe(made, **split), Progress())
    robots = {row for row, clip in enumerate(prepared.corpus.clips) if clip.speaker in ("rob", "ron")}
    assert len(robots) == 18
    assert robots <= set(prepared.split.train.tolist())
    assert len(prepared.split.test) > 0
    assert any("18 clips (folder) train beside 36 recordings; none of them is tested" in n for n in prepared.notes)


def test_folds_are_of_the_people_alone(made: DatasetConfig) -> None:
    with pytest.raises(DataError, match=r"split\.fold is 4, must be 0 to 3"):
        prepare(recipe(made, folds="leave-one-speaker-out", fold=4), Progress())


def test_two_people_and_many_robots_are_no_three_speakers(tmp_path: Path) -> None:
    people = write_tones(tmp_path / "people", speakers=("ann", "bob"))
    robots = write_tones(tmp_path / "robots", speakers=("rob", "ron"), seed=3)
    mixed = read(DatasetConfig, {"kind": "mixed", "recordings": folder(people), "training": [folder(robots)]})
    assert prepare(recipe(mixed), Progress()).split.kind == "random"


def test_a_word_that_nobody_recorded(tmp_path: Path, made: DatasetConfig) -> None:
    (tmp_path / "robots" / "low").rename(tmp_path / "robots" / "lwo")
    with pytest.raises(DataError, match=r"\(folder\) has words that no recording has: lwo; did you mean 'low'"):
        made.listing(Progress())


def test_a_word_that_is_known_to_be_recorded_by_nobody(tmp_path: Path, made: DatasetConfig) -> None:
    (tmp_path / "robots" / "low").rename(tmp_path / "robots" / "deep")
    prepared = prepare(recipe(dataclasses.replace(made, untested_words=("deep",))), Progress())
    assert prepared.corpus.labels == ("deep", "high", "low", "middle")
    assert any("no test clips of 'deep'" in note for note in prepared.notes)


def test_a_speaker_who_is_left_out_does_not_train_beside_either(tmp_path: Path) -> None:
    people = write_tones(tmp_path / "people")
    more = write_tones(tmp_path / "more", speakers=("ann", "rob"), seed=3)
    mixed = read(DatasetConfig, {"kind": "mixed", "recordings": folder(people), "training": [folder(more)]})
    prepared = prepare(recipe(mixed, by="each_speaker"), Progress())
    fold = prepared.without_speaker("ann").split
    assert {prepared.corpus.clips[row].speaker for row in fold.train} == {"bob", "cas", "dee", "rob"}
    assert len(fold.test) == 9


def test_mixing_more_in_keeps_what_was_mixed(made: DatasetConfig) -> None:
    more = read(DatasetConfig, folder(Path("more")))
    assert mix(made, [more], untested_words=["deep"]).training == (*made.training, more)
    alone = dataclasses.replace(more, reject_words=("low",), max_bad_share=0.5)
    mixed = mix(alone, [more])
    assert (mixed.reject_words, mixed.max_bad_share) == (("low",), 0.5)
    assert (mixed.recordings.reject_words, mixed.recordings.max_bad_share) == ((), 0.1)


def test_settings_that_do_not_fit(tmp_path: Path, made: DatasetConfig) -> None:
    own = folder(tmp_path)
    with pytest.raises(SettingsError, match="training: is empty"):
        read(DatasetConfig, {"kind": "mixed", "recordings": own, "training": []})
    with pytest.raises(SettingsError, match="recordings: is mixed itself"):
        read(DatasetConfig, {"kind": "mixed", "recordings": dump(made), "training": [own]})
    with pytest.raises(SettingsError, match=r"training\[0\]\.reject_words: belongs one level up"):
        read(DatasetConfig, {"kind": "mixed", "recordings": own, "training": [own | {"reject_words": ["low"]}]})


def test_what_trains_beside_is_counted_together(made: DatasetConfig) -> None:
    twice = dataclasses.replace(made, training=(*made.training, *made.training))
    notes = [note for note in twice.listing(Progress()).notes if "train beside" in note]
    assert notes == ["36 clips (folder) train beside 36 recordings; none of them is tested"]


def test_words_are_rejected_in_both(made: DatasetConfig) -> None:
    prepared = prepare(recipe(dataclasses.replace(made, reject_words=("low",)), by="random"), Progress())
    assert prepared.corpus.labels == ("high", "middle")


@pytest.mark.skipif(importlib.util.find_spec("espeakng_loader") is None, reason="needs the extra `voices`")
def test_synthetic_voices_beside_recordings(tmp_path: Path) -> None:
    people = write_tones(tmp_path / "people")
    voices = {"kind": "synthetic", "words": ["high", "low", "middle"], "voices": 2, "clips_per_voice": 1}
    mixed = read(DatasetConfig, {"kind": "mixed", "recordings": folder(people), "training": [voices]})
    prepared = prepare(recipe(mixed), Progress())
    assert any("6 clips (synthetic) train beside 36 recordings" in note for note in prepared.notes)
