"""A model that nobody trained: its words are tones, and what it detects can be told in advance."""

import json
from pathlib import Path

import numpy as np
import onnx
import soundfile
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["PITCHES", "RATE", "make_tone_model", "recording", "write_recording"]

RATE = 16_000
PITCHES = {"low": 600.0, "high": 1500.0}
"""The words, and the tones in hertz that they are."""
_HEARD = 6400
"""Samples at the window's end that the model hears: a word is a tone of 0.4 s."""


def make_tone_model(path: Path, **stream: object) -> Path:
    """Write a model whose words are the tones of `PITCHES`, of amplitudes about 0.5; `stream`: its settings."""
    time = np.arange(_HEARD) / RATE
    waves = [wave(2 * np.pi * pitch * time) for pitch in PITCHES.values() for wave in (np.cos, np.sin)]
    pairs = np.kron(np.eye(len(PITCHES)), np.ones((2, 1)))
    constants = {
        "from": np.array([RATE - _HEARD]),
        "to": np.array([RATE]),
        "axis": np.array([1]),
        "waves": np.array(waves, np.float32).T * np.float32(2 / _HEARD),
        "pairs": pairs.astype(np.float32),
        "least": np.float32(0.35),
        "slope": np.float32(40),
        "silence": np.array([[0.0]], np.float32),
        "zero": np.float32(0),
    }
    nodes = [
        helper.make_node("Slice", ["samples", "from", "to", "axis"], ["heard"]),
        helper.make_node("MatMul", ["heard", "waves"], ["parts"]),
        helper.make_node("Mul", ["parts", "parts"], ["squares"]),
        helper.make_node("MatMul", ["squares", "pairs"], ["powers"]),
        helper.make_node("Sqrt", ["powers"], ["amplitudes"]),
        helper.make_node("Sub", ["amplitudes", "least"], ["above"]),
        helper.make_node("Mul", ["above", "slope"], ["words"]),
        # "None of these" is as probable as a tone of amplitude 0.35.
        helper.make_node("ReduceMax", ["words"], ["most"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["most", "zero"], ["none"]),
        helper.make_node("Concat", ["words", "none"], ["logits"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tones",
        [helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["clips", RATE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["clips", len(PITCHES) + 1])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    facts = {
        "format_version": "2",
        "resampler": "soxr HQ",
        "labels": json.dumps(list(PITCHES)),
        "audio": json.dumps({"sample_rate": RATE, "clip_seconds": 1.0, "fit": "centre"}),
        "recipe": "",
        "stream": json.dumps(stream),
    }
    helper.set_model_props(model, facts)
    onnx.save(model, path)
    return path


def recording(seconds: float, words: list[tuple[str, float]], *, rate: int = RATE) -> NDArray[np.float32]:
    """Make faint noise with tones of 0.4 s in it, each begun at its time; gives (samples,)."""
    samples = 0.001 * np.random.default_rng(0).standard_normal(round(seconds * rate))
    tone = np.arange(round(0.4 * rate)) / rate
    for word, start in words:
        first = round(start * rate)
        samples[first : first + len(tone)] += 0.5 * np.sin(2 * np.pi * PITCHES[word] * tone)
    return samples.astype(np.float32)


def write_recording(path: Path, seconds: float, words: list[tuple[str, float]], *, rate: int = RATE) -> Path:
    """Write such a recording."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, recording(seconds, words, rate=rate), rate)
    return path
