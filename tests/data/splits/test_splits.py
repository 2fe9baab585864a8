"""Which clips train, validate and test."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.data.clips import Clip, PartName
from sayso.data.splits import Split, SplitSettings
from sayso.data.splits.settings import SplitBy, ValidationBy
from sayso.errors import DataError, SettingsError
from splits_made import grid, speakers_of, split_of

parts: list[PartName | None] = [None, "train", "validation", "test"]
clips_of_any_kind = st.lists(
    st.builds(
        Clip,
        path=st.uuids().map(str),
        label=st.sampled_from("abc"),
        speaker=st.sampled_from([None, *"pqrst"]),
        part=st.sampled_from(parts),
    ),
    max_size=40,
)


@given(
    clips=clips_of_any_kind,
    kind=st.sampled_from(["auto", "official", "random", "speakers"]),
    validation=st.sampled_from(["auto", "official", "share", "speakers", "none"]),
    share=st.floats(0.01, 0.9),
    test_share=st.floats(0.01, 0.99),
    seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)),
)
def test_any_split_is_sound_or_refused(
    clips: list[Clip],
    kind: Any,
    validation: ValidationBy,
    share: float,
    test_share: float,
    seeds: tuple[int, int],
) -> None:
    options: dict[str, Any] = {"by": kind, "test_share": test_share, "seed": seeds[0]}
    try:
        split = split_of(clips, validation=validation, validation_share=share, training_seed=seeds[1], **options)
    except DataError as error:
        split = None
        text = str(error)
    if split is None:
        assert text
        assert "\n" not in text
        return
    sets = [set(split.rows(part).tolist()) for part in ("train", "validation", "test")]
    assert not any(one & other for one, other in combinations(sets, 2))
    assert split.rows("all").tolist() == list(range(len(clips)))
    assert sets[0]
    assert sets[2]
    assert {clips[row].label for row in sets[0]} == {clip.label for clip in clips}
    if split.kind == "official":
        assert sets[2] == {row for row, clip in enumerate(clips) if clip.part == "test"}
    if split.kind == "speakers":
        assert not (speakers_of(clips, split.test.tolist()) & speakers_of(clips, [*sets[0], *sets[1]]))
    if validation == "speakers":
        assert not ((speakers_of(clips, [*sets[1]]) - {None}) & speakers_of(clips, [*sets[0]]))
    if validation == "none":
        assert not sets[1]
    again = split_of(clips, validation=validation, validation_share=share, training_seed=seeds[1], **options)
    assert again.split_hash == split.split_hash


def test_the_training_seed_never_moves_the_test_part() -> None:
    clips = grid()
    for kind in ("random", "speakers"):
        splits = [split_of(clips, by=kind, training_seed=seed, validation="share") for seed in range(5)]
        assert len({tuple(split.test) for split in splits}) == 1
        assert len({tuple(split.validation) for split in splits}) > 1
        assert len({split.split_hash for split in splits}) > 1


def test_the_split_seed_moves_the_test_part() -> None:
    for kind in ("random", "speakers"):
        assert len({tuple(split_of(grid(), by=kind, seed=seed).test) for seed in range(9)}) > 1


def test_negative_seeds_are_refused() -> None:
    with pytest.raises(SettingsError, match="seed"):
        SplitSettings(seed=-1)


@pytest.mark.parametrize(
    ("clips", "kind"),
    [
        ([*grid(), *grid("abc", "z", 1, part="test")], "official"),
        (grid(), "speakers"),
        (grid(speakers="pqr"), "speakers"),
        (grid(speakers="pq"), "random"),
        (grid(speakers=None), "random"),
    ],
)
def test_auto_takes_the_best_there_is(clips: list[Clip], kind: str) -> None:
    assert split_of(clips).kind == kind


def test_random_takes_a_share_of_each_word() -> None:
    clips = [*grid("a", None, 100), *grid("b", None, 10), *grid("c", None, 2)]
    split = split_of(clips, by="random", test_share=0.2, validation="share", validation_share=0.1)
    for part, counts in (("test", [20, 2, 1]), ("validation", [8, 1, 0]), ("train", [72, 7, 1])):
        assert [sum(clips[row].label == word for row in split.rows(part)) for word in "abc"] == counts


def test_chosen_test_speakers_are_exactly_those() -> None:
    clips = grid()
    split = split_of(clips, test_speakers=("q", "s"))
    assert split.kind == "speakers"
    assert speakers_of(clips, split.test.tolist()) == {"q", "s"}
    assert len(split.test) == 2 * 3 * 4


def test_unknown_test_speakers_are_named() -> None:
    with pytest.raises(DataError, match="test_speakers names x, unknown here; there are p, q, r, s, t"):
        split_of(grid(), test_speakers=("p", "x"))


def test_all_speakers_tested_leaves_none_to_train() -> None:
    with pytest.raises(DataError, match="leaves no clips to train"):
        split_of(grid(), test_speakers=tuple("pqrst"))


def test_too_few_of_each_word_to_test_are_told_as_that() -> None:
    own = grid(speakers=None, clips=1)
    with pytest.raises(DataError, match=r"leaves no clips to test; record at least 2 of each word$"):
        split_of([*own, *(replace(clip, path=f"voice/{clip.path}", part="train", keeps_part=True) for clip in own)])


def test_official_validation_with_the_official_split() -> None:
    clips = [*grid(part="train"), *grid("abc", "v", 2, part="validation"), *grid("abc", "z", 2, part="test")]
    split = split_of(clips)
    assert {clips[row].part for row in split.validation} == {"validation"}
    assert len(split.validation) == 6


def test_official_validation_clips_that_a_random_split_tests_stay_tested() -> None:
    clips = [*grid(part="train"), *grid("abc", "v", 9, part="validation")]
    split = split_of(clips, by="random", validation="official")
    tested = {row for row in split.test if clips[row].part == "validation"}
    assert tested
    assert not tested & set(split.validation.tolist())


def test_official_parts_must_be_there() -> None:
    with pytest.raises(DataError, match="names no test clips"):
        split_of(grid(), by="official")
    with pytest.raises(DataError, match="names no validation clips"):
        split_of(grid(), validation="official")


def test_auto_validation_holds_speakers_out_where_the_test_does() -> None:
    clips = grid(speakers="pqrstu")
    held = split_of(clips, by="speakers")
    assert not speakers_of(clips, held.validation.tolist()) & speakers_of(clips, held.train.tolist())
    shared = split_of(clips, by="random")
    assert speakers_of(clips, shared.validation.tolist()) & speakers_of(clips, shared.train.tolist())


def test_speakers_need_at_least_two() -> None:
    with pytest.raises(DataError, match="1 speaker is known; it needs at least 2"):
        split_of(grid(speakers="p"), by="speakers")
    with pytest.raises(DataError, match=r"0 speakers are known.*Name them"):
        split_of(grid(speakers=None), by="speakers")
    with pytest.raises(DataError, match="1 is left for training"):
        split_of(grid(speakers="pq"), by="speakers", validation="speakers")


def test_clips_of_no_known_speaker_stay_in_training() -> None:
    clips = [*grid(speakers="pqr"), *grid(speakers=None)]
    split = split_of(clips, by="speakers")
    assert None not in speakers_of(clips, split.test.tolist())
    assert any("12 training clips name no speaker" in note for note in split.notes) or len(split.validation)
    bare = split_of(clips, by="speakers", validation="none")
    assert any("12 training clips name no speaker" in note for note in bare.notes)


@pytest.mark.parametrize(
    ("clips", "line"),
    [
        ([], "at least two words, there are none"),
        (grid("a"), "at least two words, only 'a' is there"),
        ([*grid("ab"), Clip("x", "größe x", "p")], "each word needs at least 2 clips .*'größe x': 1"),
    ],
)
def test_too_few_words_or_clips(clips: list[Clip], line: str) -> None:
    with pytest.raises(DataError, match=line):
        split_of(clips)


def test_a_word_that_only_test_speakers_say() -> None:
    clips = [*grid("ab"), *grid("c", "p", 3)]
    with pytest.raises(DataError, match="leave no training clips of 'c'"):
        split_of(clips, test_speakers=("p",))


@pytest.mark.parametrize("kind", ["random", "speakers"])
def test_clips_that_keep_their_part_are_not_drawn_and_make_no_split_official(kind: str) -> None:
    kept = [Clip(f"noise/{part}", "silence", None, part, keeps_part=True) for part in parts[1:] for _ in range(3)]
    clips = [*grid(), *kept]
    split = split_of(clips, by=kind)
    assert split.train[-3:].tolist() == [60, 61, 62]
    assert split.validation[-3:].tolist() == [63, 64, 65]
    assert split.test[-3:].tolist() == [66, 67, 68]
    assert split_of(clips).kind == "speakers"
    assert split_of(clips, by=kind, validation="none").train[-6:].tolist() == list(range(60, 66))
    assert split_of(clips, by=kind).test[:-3].tolist() == split_of(grid(), by=kind).test.tolist()


@pytest.mark.parametrize("kind", ["auto", "random", "speakers"])
def test_no_test_share_is_refused_with_the_way_to_train_on_all(kind: SplitBy) -> None:
    with pytest.raises(SettingsError, match=r"test_share: is 0, .* there is no score; .* by: each_speaker, .* on all"):
        SplitSettings(by=kind, test_share=0)
    with pytest.raises(SettingsError, match="test_share: is 1, so that nothing is trained on"):
        SplitSettings(by=kind, test_share=1)
    # Where it draws nothing it says nothing.
    assert SplitSettings(by="official", test_share=0).test_share == 0
    assert SplitSettings(test_speakers=("p",), test_share=0).test_share == 0


def test_one_speaker_alone_is_an_anecdote_and_that_is_said() -> None:
    clips = grid(speakers="pqr")
    notes = " ".join(split_of(clips, by="speakers").notes)
    assert "alone is tested, and the next voice may be understood far better or worse" in notes
    assert "alone" not in " ".join(split_of(grid(speakers="pqrstu"), by="speakers", test_share=0.4).notes)
    assert "alone" not in " ".join(split_of(clips, test_speakers=("q",)).notes)
    assert "alone" not in " ".join(split_of(clips, folds="leave-one-speaker-out").notes)


def test_a_word_that_is_added_later_leaves_the_held_out_people() -> None:
    # Nobody says every word equally often: 4 to 6 clips of each, and of the new word.
    same = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        folder = [
            Clip(f"{word}/{speaker}_{i}", word, speaker)
            for word in ("go", "left", "no", "stop", "yes", "again")
            for speaker in "abcdefghijkl"
            for i in range(rng.integers(4, 7))
        ]
        before = [clip for clip in folder if clip.label != "again"]
        held = [
            speakers_of(clips, split_of(clips, by="speakers", seed=seed).test.tolist()) for clips in (before, folder)
        ]
        assert len(held[0]) == 2
        same += held[0] == held[1]
    assert same == 20


def test_notes_about_shared_speakers() -> None:
    notes = " ".join(split_of(grid(), by="random").notes)
    assert "speakers shared: 4 of the 4 test speakers were heard in training" in notes
    assert "shared" not in " ".join(split_of(grid(), by="speakers").notes)


def test_notes_about_unknown_speakers() -> None:
    assert any("speakers are not known" in note for note in split_of(grid(speakers=None)).notes)


def test_notes_about_words_that_are_not_tested() -> None:
    clips = [*grid("ab"), *grid("c", "q", 3)]
    split = split_of(clips, test_speakers=("p",))
    assert any(note == "no test clips of 'c': the score says nothing about them" for note in split.notes)


def test_notes_about_words_that_are_not_validated() -> None:
    official = [*grid("ab", part="train"), *grid("a", part="validation"), *grid("ab", part="test")]
    split = split_of(official, validation="official")
    assert any(note.startswith("no validation clips of 'b': the epoch to keep") for note in split.notes)


def test_the_hash_tells_splits_apart() -> None:
    one = Split(np.array([0, 1]), np.array([2]), np.array([3]), "random")
    assert one.split_hash == Split(np.array([0, 1]), np.array([2]), np.array([3]), "official").split_hash
    assert one.split_hash != Split(np.array([0]), np.array([1, 2]), np.array([3]), "random").split_hash


@pytest.mark.parametrize(
    ("options", "pinned"),
    [
        ({"by": "speakers"}, "456513676479"),
        ({"by": "random"}, "77fbb71dc407"),
    ],
)
def test_the_splits_of_even_speakers_stay_what_they_were(options: dict[str, Any], pinned: str) -> None:
    assert split_of(grid("0123456789", "abcdef", 5), **options).split_hash.startswith(pinned)


def test_speakers_are_drawn_so_that_words_keep_their_share() -> None:
    # Only p, q and r say "c"; a third of the speakers should be a third of it.
    clips = [*grid("ab", "pqrstuvwx"), *grid("c", "pqr")]
    for seed in range(9):
        split = split_of(clips, by="speakers", test_share=1 / 3, seed=seed, validation="none")
        assert len(speakers_of(clips, split.test.tolist()) & set("pqr")) == 1


@pytest.mark.parametrize("kind", ["auto", "speakers"])
def test_a_fold_is_the_split_with_its_speakers_named(kind: str) -> None:
    clips = [*grid(), *(Clip(f"noise/{i}", "silence", None, "train", keeps_part=True) for i in range(2))]
    tested: list[str | None] = []
    for fold in range(5):
        split = split_of(clips, by=kind, folds="leave-one-speaker-out", fold=fold)
        by_hand = split_of(clips, by="speakers", test_speakers=("pqrst"[fold],))
        assert (split.kind, split.split_hash) == ("speakers", by_hand.split_hash)
        assert f"fold {fold} of 5 (numbered from 0): {'pqrst'[fold]} held out" in split.notes
        tested += speakers_of(clips, split.test.tolist())
    assert tested == list("pqrst")
    twos = [speakers_of(clips, split_of(clips, by=kind, folds=2, fold=fold).test.tolist()) for fold in (0, 1)]
    assert twos[0] | twos[1] == set("pqrst")
    assert not twos[0] & twos[1]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"folds": "leave-one-speaker-out", "fold": 5}, "split.fold is 5, must be 0 to 4: there are 5 folds"),
        ({"folds": 6}, "6 folds asked for, of 5 speakers"),
    ],
)
def test_folds_that_are_not_there(options: dict[str, Any], line: str) -> None:
    with pytest.raises(DataError, match=line):
        split_of(grid(), **options)


def test_shared_speakers_are_counted() -> None:
    assert split_of(grid(), by="random").speakers_shared == 4
    assert split_of(grid(), by="speakers").speakers_shared == 0
    assert split_of(grid(speakers=None)).speakers_shared is None
