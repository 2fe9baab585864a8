"""A model by hand of a front end and the layers that int8 knows, each with the module that it came from."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sayso.audio import RESAMPLER
from sayso.runtime import FORMAT_VERSION

__all__ = ["LABELS", "RATE", "SAMPLES", "SHAPES", "layered_model", "write_layered_model"]

RATE = 8000
LABELS = ("down", "left", "up")
SAMPLES, BANDS = 800, 8
SHAPES = {"thin": (16, 1, 3), "depthwise": (16, 1, 3), "whole": (64, 16, 3), "dense": (64, 3)}


def _node(kind: str, inputs: list[str], output: str, *scopes: str, **attributes: object) -> onnx.NodeProto:
    made = helper.make_node(kind, inputs, [output], name=f"node_{output}", **attributes)
    entry = made.metadata_props.add()
    entry.key, entry.value = "pkg.torch.onnx.name_scopes", repr(["", *scopes, output])
    return made


def layered_model(networks: list[str] | None = None) -> bytes:
    """Make bands of the samples, by a convolution of the front end; then three kinds of convolution, a dense layer."""
    rng = np.random.default_rng(0)
    numbers = {name: rng.standard_normal(shape) / 3 for name, shape in SHAPES.items()}
    numbers |= {"bands": rng.standard_normal((1, 1, BANDS)) / BANDS}
    nodes = [
        _node("Unsqueeze", ["samples", "axis"], "lifted", "features"),
        _node("Conv", ["lifted", "bands"], "image", "features", "features.bands", strides=[4]),
        _node("Conv", ["image", "thin"], "first", "network", "network.0"),
        _node("Conv", ["first", "depthwise"], "second", "network", "network.1", group=16),
        _node("Relu", ["second"], "held", "network", "network.2"),
        _node("Conv", ["held", "whole"], "third", "network", "network.3"),
        _node("GlobalMaxPool", ["third"], "highest", "network"),
        _node("Squeeze", ["highest", "last"], "flat", "network"),
        _node("MatMul", ["flat", "dense"], "logits", "network", "network.4"),
    ]
    constants = {name: np.asarray(value, np.float32) for name, value in numbers.items()}
    constants |= {"axis": np.array([1]), "last": np.array([2])}
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["batch", SAMPLES])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    facts = {
        "format_version": str(FORMAT_VERSION),
        "labels": json.dumps(LABELS),
        "audio": json.dumps({"sample_rate": RATE, "clip_seconds": SAMPLES / RATE, "fit": "centre"}),
        "resampler": RESAMPLER,
        "recipe": "dataset: {kind: fsdd}",
    }
    helper.set_model_props(model, facts | ({"networks": json.dumps(networks)} if networks else {}))
    return model.SerializeToString()


def write_layered_model(path: Path) -> Path:
    """Write it."""
    path.write_bytes(layered_model())
    return path
