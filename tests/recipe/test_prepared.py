"""The clips of a recipe as one object: packed, divided, compared."""

from dataclasses import replace

import pytest

from runs_made import small_prepared, small_recipe
from sayso.data.splits import SplitSettings
from sayso.errors import DataError
from sayso.recipe.prepared import pack_clips
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
    prepared = small_prepared(tone_folder)
    told = (*prepared.corpus.notes, *prepared.split.notes, *prepared.leakage.notes)
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
