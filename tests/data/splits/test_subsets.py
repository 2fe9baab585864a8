"""Fewer training clips: each smaller set lies in the larger, every word is there, test and validation stay."""

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_splits import grid, split_of

from sayso.data.clips import Clip
from sayso.data.splits.subsets import choose_subset, limit_sizes, rank_clips, rank_speakers
from sayso.errors import DataError


def kept(clips, *, speakers=None, clips_per_speaker=None, seed=0):
    chosen = choose_subset(clips, speakers=speakers, clips_per_speaker=clips_per_speaker, seed=seed)
    return [clip for clip, keep in zip(clips, chosen, strict=True) if keep]


@given(
    st.lists(st.tuples(st.sampled_from([None, *"pqrstu"]), st.sampled_from("abc")), min_size=1, max_size=60),
    st.integers(0, 9),
)
def test_sets_are_nested_and_the_smallest_allowed_holds_every_word(spoken, seed):
    clips = [Clip(f"{place}", word, who) for place, (who, word) in enumerate(spoken)]
    for ranks_of in (rank_speakers, rank_clips):
        ranks = ranks_of(clips, seed=seed)
        least, most = limit_sizes(clips, ranks)
        words = {clip.label for clip in clips}
        for size in range(1, most + 1):
            held = {clip.label for clip, rank in zip(clips, ranks, strict=True) if rank < size}
            assert (held == words) == (size >= least)
        named = [rank for clip, rank in zip(clips, ranks, strict=True) if clip.speaker]
        assert all(rank < most for rank in named)


def test_what_people_said_to_train_counts_and_voices_beside_it_do_not():
    said = [replace(clip, part="train", keeps_part=True) for clip in grid(speakers="xyz")]
    beside = [replace(clip, part="train", keeps_part=True, source=1) for clip in grid(speakers="v")]
    clips = [*grid(speakers="pq"), *said, *beside]
    for count in range(1, 6):
        speakers = {clip.speaker for clip in kept(clips, speakers=count)}
        assert len(speakers - {"v"}) == count
        assert "v" in speakers
    per_speaker = Counter(clip.speaker for clip in kept(clips, clips_per_speaker=3))
    assert {per_speaker[name] for name in "pqxyz"} == {3}


def test_so_many_speakers_with_all_their_clips_are_kept():
    clips = grid(speakers="pqrst")
    sets = [{clip.speaker for clip in kept(clips, speakers=count)} for count in range(1, 6)]
    assert [len(each) for each in sets] == [1, 2, 3, 4, 5]
    assert all(small < large for small, large in itertools.pairwise(sets))
    assert len(kept(clips, speakers=2)) == 2 * len(clips) / 5
    assert len({frozenset(c.speaker for c in kept(clips, speakers=1, seed=seed)) for seed in range(20)}) == 5


def test_so_many_clips_of_each_speaker_are_kept_words_in_turn():
    clips = grid(words="abc", speakers="pq", clips=4)
    for size in range(2, 13):
        left = kept(clips, clips_per_speaker=size)
        for speaker in "pq":
            counts = [sum(c.speaker == speaker and c.label == word for c in left) for word in "abc"]
            assert sum(counts) == size
            assert max(counts) - min(counts) <= 1
    # Three speakers begin with three words, so that one clip of each is enough.
    assert {clip.label for clip in kept(grid(words="abc", speakers="pqr"), clips_per_speaker=1)} == set("abc")


def test_speakers_are_drawn_so_that_rare_words_come_first():
    clips = [*grid(words="ab", speakers="pqrstuvw"), Clip("c/w", "c", "w")]
    assert all("w" in {clip.speaker for clip in kept(clips, speakers=1, seed=seed)} for seed in range(5))


def test_noise_stays_at_every_size_and_clips_of_nobody_go_first():
    noise = [Clip(f"noise/{place}", "noise") for place in range(3)]
    stretch = [Clip("hum.wav", "a", "hum", part="train", keeps_part=True)]
    nameless = [Clip("a/nobody", "a")]
    left = kept([*grid(), *noise, *stretch, *nameless], speakers=5)
    assert {*noise, *stretch} <= set(left)
    assert not set(nameless) & set(left)
    assert len([clip for clip in kept([*grid(), *noise], clips_per_speaker=3) if clip.label == "noise"]) == 3


def test_where_nobody_is_named_all_clips_are_one_speakers():
    assert len(kept(grid(speakers=None, clips=9), clips_per_speaker=10)) == 10


@pytest.mark.parametrize(
    ("clips", "sizes", "told"),
    [
        (grid(speakers=None), {"speakers": 1}, "no training clip names its speaker"),
        (grid(), {"speakers": 6}, "train_speakers is 6, but there are 5 training speakers at most"),
        (grid(speakers="p"), {"clips_per_speaker": 2}, "leaves no training clips of '.'; use 3 or more"),
        (grid(speakers="p"), {"clips_per_speaker": 13}, "there are 12 clips of a speaker at most"),
        (grid(speakers="pqr"), {"speakers": 1, "clips_per_speaker": 1}, "together leave no training clips of"),
    ],
)
def test_a_size_that_cannot_be_is_told_in_one_line(clips, sizes, told):
    with pytest.raises(DataError, match=told) as caught:
        kept(clips, **sizes)
    assert "\n" not in str(caught.value)


def test_the_other_parts_stay_as_they_are_and_only_training_clips_are_drawn():
    whole = split_of(grid(speakers="pqrstu"), by="speakers")
    for keys in ({"train_speakers": 2}, {"train_clips_per_speaker": 4}):
        small = split_of(grid(speakers="pqrstu"), by="speakers", **keys)
        assert np.array_equal(small.test, whole.test)
        assert np.array_equal(small.validation, whole.validation)
        assert set(small.train) < set(whole.train)
        assert small.split_hash != whole.split_hash
        assert any("trained on" in note for note in small.notes)
    assert split_of(grid(speakers="pqrstu"), by="speakers", subset_seed=7).split_hash == whole.split_hash
