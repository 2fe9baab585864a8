"""Maps of clips: the same each time, near what is alike, and honest about how much of it they keep."""

import numpy as np
import pytest

from sayso.views.figures.clip_map import MOST_MAPPED, MOST_OUTLIERS, map_clips


def clouds(clips, words=5, seed=0):
    rng = np.random.default_rng(seed)
    targets = np.arange(clips) % words
    vectors = 6 * np.eye(words, 16)[targets] + rng.normal(size=(clips, 16))
    return vectors.astype(np.float32), [f"word {word}" for word in targets]


def test_the_same_clips_give_the_same_map_on_which_words_lie_together():
    vectors, labels = clouds(150)
    one, two = map_clips(vectors, labels), map_clips(vectors, labels)
    assert one is not None
    assert two is not None
    assert np.array_equal(one.points, two.points)
    assert one.points.min() >= 0
    assert one.points.max() <= 1
    words = np.array(labels)
    apart = np.square(one.points[:, None] - one.points[None]).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    assert np.mean(words[apart.argmin(axis=1)] == words) > 0.9
    assert 0.3 < one.kept <= 1


def test_a_large_set_is_drawn_in_part_with_all_that_are_listed():
    vectors, labels = clouds(1_000)
    planted = np.random.default_rng(1).permutation(1_000)[:150]
    for place in planted:
        labels[place] = f"word {(int(labels[place][-1]) + 1) % 5}"
    drawn = map_clips(vectors, labels)
    assert drawn is not None
    assert len(drawn.places) == len(drawn.points) == MOST_MAPPED
    assert drawn.clips == 1_000
    assert len(drawn.doubted) == min(drawn.found, MOST_OUTLIERS)
    assert {each.place for each in drawn.doubted} <= {*drawn.places.tolist()}


@pytest.mark.parametrize("numbers", [1, 2, 40])
@pytest.mark.parametrize("clips", [12, 13])
def test_few_clips_make_a_map_whatever_is_known_of_them(clips, numbers):
    for vectors in (np.zeros((clips, numbers)), np.random.default_rng(0).normal(size=(clips, numbers))):
        drawn = map_clips(vectors.astype(np.float32), ["a", "b"] * (clips // 2) + ["a"] * (clips % 2))
        assert drawn is not None
        assert np.isfinite(drawn.points).all()


def test_fewer_make_none():
    assert map_clips(*clouds(11)) is None
