"""Which parts of a graph become int8, and that what comes of it answers alike."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from layers_made import SAMPLES, SHAPES, layered_model
from sayso.delivery.model_bytes import read_metadata
from sayso.delivery.quantisation import front_end, network_alone, quantise, quantised_share, weight_bytes
from sayso.runtime.model_file import open_session


def feeds(count=4):
    rng = np.random.default_rng(1)
    return [{"samples": rng.standard_normal((5, SAMPLES)).astype(np.float32)} for _ in range(count)]


def types_of(model):
    return {entry.name: entry.data_type for entry in onnx.load_from_string(model).graph.initializer}


def answers(model, folder):
    path = folder / "model.onnx"
    path.write_bytes(model)
    return open_session(path, threads=1)[0].run(None, feeds()[0])[0]


def test_the_networks_layers_alone_are_int8(tmp_path):
    model = layered_model()
    made = quantise(model, feeds())
    types = types_of(made)
    assert {name for name in ("thin", "depthwise", "whole") if f"{name}_quantized" in types} == {"depthwise", "whole"}
    assert types["dense_quantized"] == TensorProto.INT8
    assert types["bands"] == types["thin"] == TensorProto.FLOAT
    whole = next(e for e in onnx.load_from_string(made).graph.initializer if e.name == "whole_quantized")
    assert np.abs(numpy_helper.to_array(whole).astype(int)).max() <= 64  # seven bits: two products fit into 16
    assert read_metadata(made) == read_metadata(model)
    expected, found = answers(model, tmp_path), answers(made, tmp_path)
    assert 0 < np.abs(expected - found).max() < 0.1 * np.abs(expected).max()


def test_the_file_says_which_modules_are_networks():
    assert "bands_quantized" not in types_of(quantise(layered_model(["network"]), feeds()))
    assert "dense_quantized" not in types_of(quantise(layered_model(["network.1", "network.3"]), feeds()))
    assert quantised_share(layered_model(["network.4"])) == 1
    thin, all_of = (4 * int(np.prod(SHAPES[name])) for name in ("thin", "whole"))
    assert quantised_share(layered_model(["network.0", "network.3"])) == all_of / (thin + all_of)
    # Neither another module whose name begins alike nor one without layers.
    assert quantised_share(layered_model(["net"])) == 0
    assert quantised_share(layered_model(["network.2"])) == 0


def test_a_network_runs_alone_on_what_the_front_end_gives(tmp_path):
    model = layered_model()
    made = quantise(model, feeds())
    front, names = front_end(model)
    assert names == ["image"]
    (tmp_path / "front.onnx").write_bytes(front)
    image = open_session(tmp_path / "front.onnx", threads=1)[0].run(names, feeds()[0])[0]
    for whole in (model, made):
        (tmp_path / "rest.onnx").write_bytes(network_alone(whole, {"image": image}))
        alone = open_session(tmp_path / "rest.onnx", threads=1)[0].run(None, {"image": image})[0]
        np.testing.assert_allclose(alone, answers(whole, tmp_path), atol=1e-5)


def test_the_weights_of_networks_are_counted_without_the_front_end():
    model = layered_model()
    floats = sum(int(np.prod(shape)) for shape in SHAPES.values())
    assert weight_bytes(model, of=model) == 4 * floats + 8  # and the axis of a squeeze
    assert weight_bytes(quantise(model, feeds()), of=model) < 0.4 * 4 * floats
    assert weight_bytes(model, of=layered_model(["network.3"])) == 4 * int(np.prod(SHAPES["whole"]))


@pytest.mark.parametrize("batches", [1, 3])
def test_the_same_clips_give_the_same_file(batches):
    assert quantise(layered_model(), feeds(batches)) == quantise(layered_model(), feeds(batches))
