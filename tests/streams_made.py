"""A model whose answers move with the sound, and sound for it to hear."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.classifier.streaming_export import export_streaming
from sayso.recipe.recipe import recipe_from_values

__all__ = ["HOP", "LENGTH", "RATE", "WORDS", "export_model", "sound"]

RATE, HOP, LENGTH = 16_000, 1280, 16_000
WORDS = ("up", "down", "left")


def export_model(
    folder: Path, words: tuple[str, ...] = WORDS, *, seconds: float = LENGTH / RATE, seed: int = 0, **parts: Any
) -> Path:
    """Write `model.onnx` and `stream.onnx` of random weights into a folder; `parts`: other ones of the recipe."""
    torch.manual_seed(seed)
    audio = {"sample_rate": RATE, "clip_seconds": seconds}
    values = {"dataset": {"kind": "fsdd"}, "audio": audio, "features": {"kind": "mel", "centre": False}} | parts
    classifier = Classifier(recipe_from_values(values, source="test"), words).eval()
    classifier.features.fill()
    length = classifier.audio.clip_samples
    with torch.no_grad():
        heard = torch.from_numpy(np.lib.stride_tricks.sliding_window_view(sound(4), length)[::HOP].copy())
        classifier.normaliser.measure([classifier.features(heard)])
        # Answers that move: the mean of what the network gives goes off, and what is left is spread.
        logits = classifier(heard)
        classifier.network.last.weight *= 2 / logits.std(0).max()
        classifier.network.last.bias -= classifier(heard).mean(0)
    clips = np.random.default_rng(0).integers(-9000, 9000, (3, length)).astype(np.int16)
    export(classifier, folder / "model.onnx", clips)
    export_streaming(classifier, folder / "model.onnx", clips)
    return folder / "model.onnx"


def sound(seconds: float, rate: int = RATE, seed: int = 0) -> NDArray[np.float32]:
    """Noise whose level rises and falls, (samples,)."""
    rng = np.random.default_rng(seed)
    samples = rng.standard_normal(round(seconds * rate))
    return (0.1 * samples * (1 + np.sin(np.arange(len(samples)) / rate * 3))).astype(np.float32)
