"""Features of clips, kept for more words to be learned."""

import numpy as np
import torch

from sayso.classifier import kept_features
from sayso.classifier.kept_features import FeatureTable, KeptFeatures


def test_features_are_found_by_what_the_clips_sound_like(tmp_path):
    values = torch.arange(6.0).reshape(3, 1, 2, 1)
    table = FeatureTable(("a", "b", "c"), values)
    assert table.find(["c", "x", "a"]).tolist() == [2, -1, 0]
    assert KeptFeatures(table, (FeatureTable(("b",), values[1:2]),)).save(tmp_path / "kept")
    again = KeptFeatures.load(tmp_path / "kept")
    assert torch.equal(again.as_they_are[np.array([2])], values[2:])
    assert again.copy(0).marks == ("b",)
    assert again.copy(1).marks == ("a", "b", "c")


def test_as_many_features_are_kept_as_there_is_room_for(tmp_path, monkeypatch):
    table = FeatureTable(("a", "b"), torch.zeros(2, 1, 4, 1))  # 32 bytes, and 16 a copy
    kept = KeptFeatures(table, (table, table, table))
    for room, copies in ((31, None), (32, 0), (64, 2), (80, 3)):
        monkeypatch.setattr(kept_features, "_MOST_BYTES", room)
        path = tmp_path / str(room)
        assert kept.save(path) == path.exists() == (copies is not None)
        if copies is not None:
            assert len(KeptFeatures.load(path).copies) == copies
