"""The quick look at every pair misses none that a look at all values finds."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sayso.data.near_copies.neighbours import Vectors


def of_length_1(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def drawn(count: int, *, values: int, seed: int) -> NDArray[np.float32]:
    """Vectors around a few middles, some much nearer to one another than others."""
    rng = np.random.default_rng(seed)
    middles = np.random.default_rng(7).standard_normal((40, values))
    spread = rng.choice((0.05, 0.2, 0.4, 0.8), (count, 1))
    return of_length_1(middles[rng.integers(40, size=count)] + spread * rng.standard_normal((count, values)))


@pytest.mark.parametrize("values", [3, 16, 96])
@pytest.mark.parametrize("least", [0.5, 0.92, 0.999])
def test_none_is_missed_and_none_too_many(values: int, least: float) -> None:
    whole, sought = drawn(5_000, values=values, seed=1), drawn(3_000, values=values, seed=2)
    sought[:9] = of_length_1(whole[::600] + 1e-4)
    here, there, cosines = Vectors.of(whole).find_near(sought, least)
    every = np.einsum("ij,kj->ik", sought.astype(np.float64), whole.astype(np.float64))
    doubtful = np.abs(every - least) < 1e-5
    found = np.zeros(every.shape, bool)
    found[here, there] = True
    assert len(here) > 0
    np.testing.assert_array_equal(found | doubtful, (every >= least) | doubtful)
    np.testing.assert_allclose(cosines, every[here, there], atol=1e-5)
    assert np.all(np.diff(here * len(whole) + there) > 0)


def test_one_vector_and_none_sought() -> None:
    one = of_length_1(np.ones((1, 96)))
    assert [each.tolist() for each in Vectors.of(one).find_near(one, 0.9)[:2]] == [[0], [0]]
    assert [len(each) for each in Vectors.of(one).find_near(one[:0], 0.9)] == [0, 0, 0]
