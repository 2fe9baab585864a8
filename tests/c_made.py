"""Small networks of random weights, whose answers move, for programs in C."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.classifier.streaming_export import export_streaming
from sayso.recipe.recipe import recipe_from_values
from streams_made import HOP, LENGTH, sound

__all__ = ["SMALL", "make_small_model"]

SMALL: dict[str, Any] = {
    "features": {"kind": "mel", "centre": False},
    "model": {"kind": "tc_resnet", "channels": [8, 10, 14, 20], "width": 1.0, "kernel": 5, "padding": "none"},
}
"""Less than 10,000 parameters, each frame computed once."""


def make_small_model(folder: Path, values: dict[str, Any] = SMALL, words: tuple[str, ...] = ("up", "down")) -> Path:
    """Write `model.onnx`, and `stream.onnx` where features can be carried, into a folder."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    classifier = Classifier(recipe_from_values({"dataset": {"kind": "fsdd"}, **values}, source="test"), words).eval()
    with torch.no_grad():
        heard = torch.from_numpy(np.lib.stride_tricks.sliding_window_view(sound(4), LENGTH)[::HOP].copy())
        classifier.normaliser.measure([classifier.features(heard)])
        # What `divisor` takes away from logits, so that they move by one or two.
        classifier.temperature = float(classifier(heard).std(0).max() / 2)
    clips = np.random.default_rng(0).integers(-9000, 9000, (3, LENGTH)).astype(np.int16)
    export(classifier, folder / "model.onnx", clips)
    export_streaming(classifier, folder / "model.onnx", clips)
    return folder / "model.onnx"
