"""Graphs that are kept from one process to the next."""

import zlib

import numpy as np
import onnx
import pytest

from runs_made import small_recipe
from sayso.classifier import graph, kept_graphs
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.runtime import Recognizer


def exported(tmp_path, name, seed=0):
    import torch

    torch.manual_seed(seed)
    classifier = Classifier(small_recipe(tmp_path), ("high", "low"))
    for part in classifier.parameters():
        torch.nn.init.normal_(part)
    clips = np.random.default_rng(0).integers(-9000, 9000, (4, classifier.audio.clip_samples)).astype(np.int16)
    agreement = export(classifier.eval(), tmp_path / name, clips)
    assert agreement.max_abs_difference <= agreement.limit
    return Recognizer(tmp_path / name).logits(clips / np.float32(32768))


def forget(monkeypatch):
    """As in another process, which must not trace."""
    monkeypatch.setattr(graph, "_traces", {})
    monkeypatch.setattr(graph, "_trace", lambda *_: pytest.fail("traced anew"))


def test_another_process_takes_the_graph_with_its_own_numbers(tmp_path, graphs, monkeypatch):
    first = exported(tmp_path, "first.onnx")
    [kept] = graphs.iterdir()
    forget(monkeypatch)
    assert np.array_equal(exported(tmp_path, "again.onnx"), first)
    assert (tmp_path / "again.onnx").read_bytes() == (tmp_path / "first.onnx").read_bytes()
    assert not np.allclose(exported(tmp_path, "other.onnx", seed=1), first)
    assert [*graphs.iterdir()] == [kept]


def test_no_weights_are_kept(tmp_path, graphs):
    exported(tmp_path, "first.onnx")
    [path] = graphs.iterdir()
    own = onnx.load_model_from_string(zlib.decompress(path.read_bytes()))
    names = {name for name, _ in Classifier(small_recipe(tmp_path), ("high", "low")).named_parameters()}
    weights = [entry for entry in own.graph.initializer if entry.name in names]
    assert {entry.name for entry in weights} == names
    assert not any(onnx.numpy_helper.to_array(entry).any() for entry in weights)


@pytest.mark.parametrize("damage", [b"", b"no graph", zlib.compress(b"\x08\xff\xff")])
def test_a_damaged_one_is_made_anew(tmp_path, graphs, monkeypatch, damage):
    first = exported(tmp_path, "first.onnx")
    [path] = graphs.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage)
    monkeypatch.setattr(graph, "_traces", {})
    assert np.array_equal(exported(tmp_path, "again.onnx"), first)
    assert path.read_bytes() == whole


def test_other_code_has_graphs_of_its_own(tmp_path, graphs, monkeypatch):
    exported(tmp_path, "first.onnx")
    monkeypatch.setattr(graph, "_traces", {})
    monkeypatch.setattr(kept_graphs, "_code", lambda: "changed")
    exported(tmp_path, "second.onnx")
    assert len([*graphs.iterdir()]) == 2


def test_only_the_latest_are_kept_and_a_folder_that_cannot_be_written_costs_nothing(tmp_path, graphs, monkeypatch):
    graphs.mkdir()
    for number in range(5):
        (graphs / f"{number}.onnx.z").touch()
    monkeypatch.setattr(kept_graphs, "_KEPT", 3)
    exported(tmp_path, "first.onnx")
    assert len([*graphs.iterdir()]) == 3
    monkeypatch.setattr(graph, "_traces", {})
    (tmp_path / "file").touch()
    monkeypatch.setenv("SAYSO_GRAPHS", str(tmp_path / "file" / "graphs"))
    exported(tmp_path, "second.onnx")
