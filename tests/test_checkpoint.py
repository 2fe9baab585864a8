"""Files of weights and states: plain data only, and one line for anything else."""

import pytest
import torch

from sayso.checkpoint import load_state, save_state
from sayso.errors import ModelError
from sayso.progress import Progress


def test_state_files_hold_plain_data_only(tmp_path):
    save_state(tmp_path / "s.ckpt", {"a": torch.ones(2), "b": [1, "x", {"c": 2.5}]})
    assert load_state(tmp_path / "s.ckpt")["b"] == [1, "x", {"c": 2.5}]
    torch.save({"f": Progress()}, tmp_path / "evil.ckpt")
    with pytest.raises(ModelError, match="cannot be read"):
        load_state(tmp_path / "evil.ckpt")
    (tmp_path / "cut.ckpt").write_bytes((tmp_path / "s.ckpt").read_bytes()[:50])
    with pytest.raises(ModelError, match="cannot be read"):
        load_state(tmp_path / "cut.ckpt")
