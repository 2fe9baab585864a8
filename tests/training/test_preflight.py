"""What a training cannot do is told before anything is written."""

import pytest

from runs_made import small_prepared
from sayso.errors import SettingsError
from sayso.training.batches import draw_batches
from sayso.training.preflight import check_readiness


def test_batches_of_one_clip_are_told_where_the_network_norms_over_them(tone_folder):
    prepared = small_prepared(tone_folder, batch_size=1, model={"kind": "feed_forward"})
    with pytest.raises(SettingsError, match=r"training\.batch_size: is 1: that makes batches of one clip, and feed_f"):
        check_readiness(prepared)
    assert check_readiness(small_prepared(tone_folder, batch_size=1, model={"kind": "mlp"}))
    prepared = small_prepared(tone_folder, batch_size=2, model={"kind": "feed_forward"})
    assert check_readiness(prepared)
    rows = prepared.split.train[: len(prepared.split.train) // 2 * 2 - 1]
    assert {len(batch) for batch in draw_batches(rows, batch_size=2, seed=0, epoch=0)} == {2, 3}
