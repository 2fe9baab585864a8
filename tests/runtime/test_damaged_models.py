"""Exported models that are damaged inside, in files that onnxruntime opens: one line, and no wrong answer."""

import json

import numpy as np
import onnx
import pytest

from models_made import RATE, loudness_model
from sayso.errors import ModelError
from sayso.runtime import Recognizer


def damaged(path, damage):
    """The model made by hand, changed by `damage`, which gets its parts."""
    model = onnx.load(loudness_model(path))
    damage(model)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": json.dumps("up")},
        {"labels": json.dumps(["up", "up"])},
        {"labels": json.dumps(["up", 7])},
        {"labels": json.dumps([])},
        {"labels": "[" * 3_000},
        {"temperature": "NaN"},
        {"temperature": "[1]"},
        {"threshold": "true"},
        {"audio": json.dumps({"sample_rate": RATE, "clip_seconds": 2.0})},
    ],
    ids=str,
)
def test_metadata_that_cannot_be(changes, tmp_path):
    with pytest.raises(ModelError, match="damaged"):
        Recognizer(loudness_model(tmp_path / "model.onnx", **changes))


def test_what_a_file_says_is_shown_in_one_line(tmp_path):
    with pytest.raises(ModelError) as caught:
        Recognizer(loudness_model(tmp_path / "model.onnx", format_version="1\n\x1b[31m2"))
    assert r"format_version 1\n\x1b[31m2, this Sayso reads 1" in str(caught.value)


def test_metadata_that_are_no_text(tmp_path):
    path = loudness_model(tmp_path / "model.onnx")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"dataset: {kind", b"dataset\xff\xfe{kind"))
    assert path.read_bytes() != content
    with pytest.raises(ModelError, match="onnxruntime"):
        Recognizer(path)


def test_a_graph_that_takes_other_clips(tmp_path):
    def fix_batch(model):
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 3

    with pytest.raises(ModelError, match=r"takes \[3, 8000\], its metadata tells of clips of 8,000 samples"):
        Recognizer(damaged(tmp_path / "model.onnx", fix_batch))


def test_a_graph_that_cannot_be_computed(tmp_path):
    def cut_weights(model):
        # The shape of the input is not known, so that nobody sees before computing that the two do not fit.
        del model.graph.input[0].type.tensor_type.shape.dim[1]
        model.graph.input[0].type.tensor_type.shape.dim.add().dim_param = "samples"
        tensor = model.graph.initializer[0]
        tensor.dims[0], tensor.raw_data = RATE // 2, tensor.raw_data[: len(tensor.raw_data) // 2]

    recognizer = Recognizer(damaged(tmp_path / "model.onnx", cut_weights))
    with pytest.raises(ModelError, match="cannot compute it"):
        recognizer.predict(np.zeros(RATE, np.float32))


def test_scores_of_other_words_than_the_labels(tmp_path):
    recognizer = Recognizer(loudness_model(tmp_path / "model.onnx", labels=json.dumps(["up", "down", "left"])))
    with pytest.raises(ModelError, match=r"gives logits \(1, 2\) for 1 clip and 3 words"):
        recognizer.predict(np.zeros(RATE, np.float32))


def test_scores_that_are_no_numbers(tmp_path):
    def spoil(model):
        model.graph.initializer[0].raw_data = np.full((RATE, 2), np.nan, np.float32).tobytes()

    recognizer = Recognizer(damaged(tmp_path / "model.onnx", spoil))
    with pytest.raises(ModelError, match="not numbers"):
        recognizer.predict(np.full(RATE, 0.5, np.float32))
