"""Copies of one recording and the validation part: on one side of it, where that moves no recorded draw."""

from dataclasses import replace

import numpy as np

from sayso.data.splits import SplitSettings, draw_split
from splits_made import corpus_of, grid, split_of


def test_copies_of_a_clip_are_on_one_side_of_validation() -> None:
    clips = grid(speakers=None, clips=20)
    pairs = [(row, row + 1) for row in range(0, 60, 4)] + [(0, 7)]
    for seed in range(10):
        corpus = corpus_of(clips)
        split = draw_split(corpus, SplitSettings(by="random", validation_share=0.3), seed=seed, copies=pairs)
        held, tested = set(split.validation.tolist()), set(split.test.tolist())
        assert held
        for one, other in pairs:
            assert tested & {one, other} or (one in held) == (other in held)


def test_without_copies_validation_is_drawn_as_ever() -> None:
    corpus = corpus_of(grid())
    settings = SplitSettings(by="random", validation_share=0.3)
    assert (
        split_of(corpus, by="random").split_hash
        == draw_split(corpus, replace(settings, validation_share=0.2), seed=0, copies=[]).split_hash
    )
    # The first clips of a permutation of each word's; what is drawn must not move, or recorded scores would.
    rng = np.random.default_rng((3, 1))
    split = draw_split(corpus, settings, seed=3)
    left = np.setdiff1d(np.arange(60), split.test)
    orders = [rng.permutation(left[corpus.targets[left] == target]) for target in range(3)]
    expected = np.sort(np.concatenate([order[: round(0.3 * len(order))] for order in orders]))
    assert split.validation.tolist() == expected.tolist()


def test_clips_that_are_all_there_twice_still_give_some_to_validate() -> None:
    corpus = corpus_of(grid(speakers=None, clips=6))
    pairs = [(row, row + 1) for row in range(0, 18, 2)]
    settings = SplitSettings(by="official", validation="share", validation_share=0.1)
    corpus = corpus_of(
        [*corpus.clips, *(replace(clip, path=f"{clip.path}t", part="test") for clip in corpus.clips[::6])]
    )
    split = draw_split(corpus, settings, seed=0, copies=pairs)
    assert len(split.validation) == 6
    assert {row // 2 for row in split.validation.tolist()} & {
        row // 2 for row in split.train.tolist() if row < 18
    } == set()


def test_a_copy_by_another_speaker_trains_where_its_speaker_validates() -> None:
    clips = grid()
    first_of = {speaker: next(row for row, clip in enumerate(clips) if clip.speaker == speaker) for speaker in "pqrst"}
    pairs = [(first_of["p"], row) for speaker, row in first_of.items() if speaker != "p"]
    split = draw_split(corpus_of(clips), SplitSettings(by="speakers", validation="speakers"), seed=0, copies=pairs)
    assert len(split.validation) == 11
    assert not {*first_of.values()} & {*split.validation.tolist()}


def test_a_large_set_with_hardly_any_copies_is_drawn_as_it_always_was() -> None:
    corpus = corpus_of(grid(speakers=None, clips=400))
    settings = SplitSettings(by="random", validation_share=0.3)
    plain = draw_split(corpus, settings, seed=0)
    held, train = plain.validation.tolist(), plain.train.tolist()
    few = [(held[place], train[place]) for place in range(2)]
    assert draw_split(corpus, settings, seed=0, copies=few).split_hash == plain.split_hash
    several = [(held[place], train[place]) for place in range(6)]
    mended = set(draw_split(corpus, settings, seed=0, copies=several).validation.tolist())
    assert all((one in mended) == (other in mended) for one, other in several)
