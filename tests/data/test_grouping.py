"""Pairs in groups that share clips: each in one group, none too large, and fewer clips to transform than one by one."""

import numpy as np
import pytest

from sayso.data.near_copies.grouping import group_pairs


def drawn(clips: int, *, seed: int) -> np.ndarray:
    """Pairs within families of ten clips, whose rows lie far apart."""
    rng = np.random.default_rng(seed)
    families = rng.permutation(clips).reshape(-1, 10)
    pairs = [(family[a], family[b]) for family in families for a in range(10) for b in range(a) if rng.random() < 0.5]
    return np.unique(np.sort(np.array(pairs), axis=1), axis=0)


@pytest.mark.parametrize("most", [2, 3, 40, 10_000])
def test_each_pair_is_in_one_group_of_few_clips(most: int) -> None:
    pairs = drawn(2_000, seed=1)
    groups = list(group_pairs(pairs, most))
    assert sorted(map(tuple, np.concatenate(groups))) == sorted(map(tuple, pairs))
    assert max(len(np.unique(group)) for group in groups) <= most


def test_a_family_is_mostly_in_one_group() -> None:
    pairs = drawn(2_000, seed=2)
    assert sum(len(np.unique(group)) for group in group_pairs(pairs, 50)) < 1.5 * 2_000


def test_no_pairs_and_pairs_across_gaps() -> None:
    assert list(group_pairs(np.zeros((0, 2), np.int64), 5)) == []
    assert [group.tolist() for group in group_pairs(np.array([[7, 900_000]]), 2)] == [[[7, 900_000]]]
