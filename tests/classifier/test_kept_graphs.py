"""Graphs that are kept from one process to the next."""

import zlib

import numpy as np
import onnx
import pytest
import torch

from runs_made import small_recipe
from sayso.classifier import graph, kept_graphs
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.runtime import Recognizer

WORDS = ("high", "low")
_traced = []


@pytest.fixture
def traces(monkeypatch, graphs):
    """What was traced in this test, by what it was called; only the first trace of the file takes its seconds."""
    del graphs
    asked, trace = [], graph._trace

    def once(*parts):
        asked.append(parts[-1])
        if not _traced:
            _traced.append(trace(*parts))
        return _traced[0]

    monkeypatch.setattr(graph, "_trace", once)
    return asked


def exported(folder, seed=0):
    """Logits of a model with weights of its own, exported as in a new process."""
    graph._traces.clear()
    torch.manual_seed(seed)
    classifier = Classifier(small_recipe(folder), WORDS)
    for part in classifier.parameters():
        torch.nn.init.normal_(part)
    clips = np.random.default_rng(0).integers(-9000, 9000, (4, classifier.audio.clip_samples)).astype(np.int16)
    agreement = export(classifier.eval(), folder / "model.onnx", clips)
    assert agreement.max_abs_difference <= agreement.limit
    return Recognizer(folder / "model.onnx").logits(clips / np.float32(32768))


def test_another_process_takes_the_graph_with_its_own_numbers(tmp_path, graphs, traces):
    first = exported(tmp_path)
    [kept], whole = graphs.iterdir(), (tmp_path / "model.onnx").read_bytes()
    assert np.array_equal(exported(tmp_path), first)
    assert (tmp_path / "model.onnx").read_bytes() == whole
    assert not np.allclose(exported(tmp_path, seed=1), first)
    assert [*graphs.iterdir()] == [kept]
    assert len(traces) == 1


@pytest.mark.usefixtures("traces")
def test_no_weights_are_kept(tmp_path, graphs):
    exported(tmp_path)
    [path] = graphs.iterdir()
    own = onnx.load_model_from_string(zlib.decompress(path.read_bytes()))
    names = {name for name, _ in Classifier(small_recipe(tmp_path), WORDS).named_parameters()}
    weights = [entry for entry in own.graph.initializer if entry.name in names]
    assert {entry.name for entry in weights} == names
    assert not any(onnx.numpy_helper.to_array(entry).any() for entry in weights)


@pytest.mark.parametrize("damage", [b"", b"no graph", zlib.compress(b"\x08\xff\xff")])
def test_a_damaged_one_is_made_anew(tmp_path, graphs, traces, damage):
    first = exported(tmp_path)
    [path] = graphs.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage)
    assert np.array_equal(exported(tmp_path), first)
    assert path.read_bytes() == whole
    assert len(traces) == 2


def test_other_code_has_graphs_of_its_own(tmp_path, graphs, traces, monkeypatch):
    exported(tmp_path)
    monkeypatch.setattr(kept_graphs, "_code", lambda: "changed")
    exported(tmp_path)
    assert len([*graphs.iterdir()]) == len(traces) == 2


def test_only_the_latest_are_kept(tmp_path, graphs, traces, monkeypatch):
    graphs.mkdir()
    for number in range(5):
        (graphs / f"{number}.onnx.z").touch()
    monkeypatch.setattr(kept_graphs, "_KEPT", 3)
    exported(tmp_path)
    assert len([*graphs.iterdir()]) == 3
    exported(tmp_path)
    assert len(traces) == 1


def test_where_none_can_be_kept_they_are_traced(tmp_path, traces, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SAYSO_GRAPHS", str(tmp_path / "file" / "graphs"))
    assert np.array_equal(exported(tmp_path), exported(tmp_path))
    assert len(traces) == 2
