"""Files of weights and states: plain data only, and one line for anything else."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from folders_made import no_files_above
from runs_made import small_recipe
from sayso.classifier.checkpoint import load_model, load_state, save_model, save_state
from sayso.classifier.module import Classifier
from sayso.errors import ModelError, OutputError
from sayso.system.progress import Progress


def test_state_files_hold_plain_data_only(tmp_path):
    save_state(tmp_path / "s.ckpt", {"a": torch.ones(2), "b": [1, "x", {"c": 2.5}]})
    assert load_state(tmp_path / "s.ckpt")["b"] == [1, "x", {"c": 2.5}]
    torch.save({"f": Progress()}, tmp_path / "evil.ckpt")
    with pytest.raises(ModelError, match="cannot be read"):
        load_state(tmp_path / "evil.ckpt")
    (tmp_path / "cut.ckpt").write_bytes((tmp_path / "s.ckpt").read_bytes()[:50])
    with pytest.raises(ModelError, match="cannot be read"):
        load_state(tmp_path / "cut.ckpt")


@pytest.mark.parametrize("room", [100, 10_000])
def test_a_disk_without_room_is_one_line_and_what_was_there_stays(tmp_path, room):
    classifier = Classifier(small_recipe(tmp_path), ["a", "b", "c"])
    model, state = tmp_path / "m.safetensors", tmp_path / "s.ckpt"
    save_model(model, classifier)
    save_state(state, {"weights": torch.arange(20_000)})
    before = model.read_bytes()
    assert len(before) > room
    with no_files_above(room):
        with pytest.raises(
            OutputError, match=r"cannot write .*m\.safetensors: that file system holds no file so large"
        ):
            save_model(model, classifier)
        with pytest.raises(OutputError, match=r"cannot write .*s\.ckpt: "):
            save_state(state, {"weights": torch.zeros(20_000)})
    assert model.read_bytes() == before
    assert load_state(state)["weights"][-1] == 19_999
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.safetensors", "s.ckpt"]


def rewritten(path, **changes):
    """The same model under another header; a value of None takes its key away."""
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["sayso"]) | changes
    header = {key: value for key, value in header.items() if value is not None}
    save_file(load_file(path), path, metadata={"sayso": json.dumps(header)})
    return path


def test_the_temperature_is_kept_and_older_files_have_none(tmp_path):
    classifier = Classifier(small_recipe(tmp_path), ["a", "b", "c"]).eval()
    clips = torch.rand(2, classifier.audio.clip_samples) - 0.5
    plain = classifier(clips)
    classifier.temperature = 0.625
    save_model(tmp_path / "m.safetensors", classifier)
    kept = load_model(tmp_path / "m.safetensors")
    assert kept.temperature == 0.625
    torch.testing.assert_close(kept(clips), plain / 0.625)
    older = load_model(rewritten(tmp_path / "m.safetensors", format_version=1, temperature=None))
    torch.testing.assert_close(older(clips), plain, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format_version": 99}, "format 99, this Sayso reads 1 and 2"),
        ({"temperature": -1.0}, "temperature -1.0"),
        ({"temperature": "hot"}, "cannot be read as a Sayso model"),
        ({"recipe": 7}, "its header is damaged"),
        ({"recipe": "&a [*a]"}, "must hold `key: value` lines"),
        ({"labels": "abc"}, "labels are no list of words"),
        ({"threshold": [0.5]}, "threshold"),
    ],
)
def test_headers_that_are_not_for_us(changes, says, tmp_path):
    save_model(tmp_path / "m.safetensors", Classifier(small_recipe(tmp_path), ["a", "b", "c"]))
    with pytest.raises(ModelError, match=says):
        load_model(rewritten(tmp_path / "m.safetensors", **changes))
