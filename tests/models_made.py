"""A model file made by hand, without torch: what it answers is plain to see."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from sayso.audio import RESAMPLER
from sayso.runtime import FORMAT_VERSION

__all__ = ["RATE", "loudness_model"]

RATE = 8000


def loudness_model(path: Path, **changes: str | None) -> Path:
    """Write a model whose logits are the mean of the clip, and its negative; `changes` are to its metadata."""
    samples = helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["batch", RATE])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])
    weights = np.stack((np.ones(RATE), -np.ones(RATE)), axis=1).astype(np.float32) / RATE
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["samples", "weights"], ["logits"])],
        "hand",
        [samples],
        [logits],
        [helper.make_tensor("weights", TensorProto.FLOAT, weights.shape, weights.tobytes(), raw=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    metadata = {
        "format_version": str(FORMAT_VERSION),
        "labels": json.dumps(["up", "down"]),
        "audio": json.dumps({"sample_rate": RATE, "clip_seconds": 1.0, "fit": "centre"}),
        "resampler": RESAMPLER,
        "recipe": "dataset: {kind: fsdd}",
    } | changes
    helper.set_model_props(model, {key: value for key, value in metadata.items() if value is not None})
    onnx.save(model, path)
    return path
