"""Speakers divided for testing: every one once, each word in proportion."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.data.splits.folds import deal_folds, draw_balanced
from sayso.data.splits.settings import LEAVE_ONE_OUT
from sayso.errors import DataError

Spoken = list[tuple[str | None, str]]


def folds_of(spoken: Spoken, folds: Any, **options: Any) -> tuple[tuple[str, ...], ...]:
    return deal_folds([who for who, _ in spoken], [word for _, word in spoken], folds=folds, **options)


def even(speakers: str, words: str = "ab", clips: int = 3) -> Spoken:
    return [(who, word) for who in speakers for word in words for _ in range(clips)]


def shares(spoken: Spoken, held: tuple[str, ...]) -> list[float]:
    return [
        sum(who in held for who, said in spoken if said == word) / sum(said == word for _, said in spoken)
        for word in sorted({word for _, word in spoken})
    ]


@given(
    st.lists(st.tuples(st.sampled_from([None, *"pqrstu"]), st.sampled_from("abc")), max_size=60),
    st.integers(2, 7) | st.just(LEAVE_ONE_OUT),
    st.integers(0, 9),
)
def test_every_speaker_is_in_one_fold_and_every_fold_can_be_trained_or_it_is_refused(spoken, folds, seed):
    try:
        found = folds_of(spoken, folds, seed=seed)
    except DataError:
        return
    assert sorted(name for names in found for name in names) == sorted({who for who, _ in spoken} - {None})
    assert all(found)
    assert len(found) == (len({who for who, _ in spoken} - {None}) if folds == LEAVE_ONE_OUT else folds)
    for held in found:
        assert {word for who, word in spoken if who not in held} == {word for _, word in spoken}
    assert folds_of(list(reversed(spoken)), folds, seed=seed) == found


def test_leave_one_speaker_out_takes_them_by_name() -> None:
    assert folds_of(even("rpq"), LEAVE_ONE_OUT) == (("p",), ("q",), ("r",))
    assert folds_of([*even("rpq"), (None, "a")], LEAVE_ONE_OUT, seed=5) == (("p",), ("q",), ("r",))


def test_even_speakers_give_equal_folds_and_the_seed_deals_them_anew() -> None:
    spoken = even("pqrstuvwx")
    for seed in range(3):
        assert [shares(spoken, held) for held in folds_of(spoken, 3, seed=seed)] == [[pytest.approx(1 / 3)] * 2] * 3
    assert len({folds_of(spoken, 3, seed=seed) for seed in range(9)}) > 1


def test_folds_hold_each_word_in_its_share_where_speakers_say_different_words() -> None:
    # Each says one word only, some a lot: by counts of clips alone, a fold could be all of one word.
    spoken = [
        (who, "ab"[number % 2]) for number, who in enumerate("abcdefghijkl") for _ in range(9 if number % 4 < 2 else 1)
    ]
    for seed in range(5):
        for held in folds_of(spoken, 3, seed=seed):
            assert shares(spoken, held) == [pytest.approx(1 / 3)] * 2


@pytest.mark.parametrize(
    ("spoken", "folds", "line"),
    [
        (even("pq"), 3, "3 folds asked for, of 2 speakers; choose from 2 to 2 folds"),
        (even("p"), LEAVE_ONE_OUT, "at least 2 speakers, but 1 is known"),
        ([(None, "a"), (None, "b")], 2, "at least 2 speakers, but 0 are known"),
        ([*even("pq"), ("q", "c")], LEAVE_ONE_OUT, r"one of the 2 folds \(q\) holds every clip of 'c'"),
    ],
)
def test_what_cannot_be_folded_is_one_line(spoken, folds, line) -> None:
    with pytest.raises(DataError, match=line) as caught:
        folds_of(spoken, folds)
    assert "\n" not in str(caught.value)


def test_a_draw_keeps_even_speakers_and_mends_uneven_ones() -> None:
    order = [3, 1, 4, 0, 2, 5]
    assert draw_balanced(np.full((6, 3), 7), order, 2) == [3, 1]
    # As drawn, speakers 3 and 1 say two thirds of the second word.
    counts = np.array([[4, 0], [4, 5], [4, 0], [4, 5], [4, 5], [4, 0]])
    drawn = draw_balanced(counts, order, 2)
    assert counts[drawn].sum(0).tolist() == [8, 5]
    assert draw_balanced(counts, order, 0) == []
