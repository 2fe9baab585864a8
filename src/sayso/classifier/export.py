"""A trained classifier as one ONNX file with its front end inside, and the proof that the two agree."""

import json
import logging
import re
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sayso.audio import RESAMPLER, to_float
from sayso.classifier.inference import predict_logits
from sayso.classifier.module import Classifier
from sayso.config.schema import dump
from sayso.errors import ModelError
from sayso.recipe.recipe import recipe_yaml
from sayso.runtime import FORMAT_VERSION, Recognizer
from sayso.system.files import atomic_path

__all__ = ["OPSET", "Agreement", "export"]

OPSET = 18
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Agreement:
    """How far the exported model's logits are from the trained model's, in float32, on real clips."""

    max_abs_difference: float
    limit: float
    """`TOLERANCE` times the largest logit, at least `TOLERANCE`."""
    clips: int


def export(classifier: Classifier, path: Path, clips: NDArray[np.int16], *, like: Path | None = None) -> Agreement:
    """Write `model.onnx` and measure on `clips` whether it gives the same answer.

    Args:
        classifier: on the CPU.
        path: where to write.
        clips: packed clips (clips, samples), at least one.
        like: an exported classifier of the same features and network, for other words perhaps, whose graph serves again
            with the new weights in it: one made anew takes seconds. None: it is made anew.

    Raises:
        ModelError: the graph cannot be made, or its logits differ by more than 1e-4 x max(1, max |logit|); no file is
            left then.
        OutputError: the place cannot be written.
    """
    content = (_graph_taken_over(classifier, like) if like else None) or _onnx_bytes(classifier)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
        agreement = _compare(classifier, temporary, clips)
        if not agreement.max_abs_difference <= agreement.limit:  # so that NaN does not pass
            raise ModelError(
                f"{path}: exported logits differ from the trained model's by {agreement.max_abs_difference:.2g}, the "
                f"limit is {agreement.limit:.2g}; the trained weights are kept, please report the recipe"
            )
    return agreement


def _compare(classifier: Classifier, path: Path, clips: NDArray[np.int16]) -> Agreement:
    expected = predict_logits(classifier, clips)
    exported = Recognizer(path).logits(to_float(clips))
    limit = TOLERANCE * max(1.0, float(np.abs(expected).max()))
    return Agreement(float(np.abs(expected - exported).max()), limit, len(clips))


def _graph_taken_over(classifier: Classifier, like: Path) -> bytes | None:
    """An exported file with the tensors and labels of this classifier; None where the graph does not name them all."""
    onnx = import_module("onnx")
    try:
        model: Any = onnx.load(str(like))
    except (OSError, import_module("google.protobuf.message").DecodeError):  # damaged: the graph is made anew
        return None
    tensors = {**dict(classifier.named_parameters()), **dict(classifier.named_buffers())}
    found = {entry.name: entry for entry in model.graph.initializer if entry.name in tensors}
    if not {"divisor", *(name for name, _ in classifier.named_parameters())} <= found.keys():
        return None
    for name, entry in found.items():
        values = tensors[name].detach().cpu().numpy()
        entry.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
    classes = model.graph.output[0].type.tensor_type.shape.dim[1]
    classes.dim_value = len(classifier.labels) + bool(classifier.recipe.rejection.negatives)
    # Sizes in between hang on the number of words; whoever reads the file works them out.
    del model.graph.value_info[:]
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, _metadata(classifier))
    return model.SerializeToString()


def _onnx_bytes(classifier: Classifier) -> bytes:
    # The exporter imports these by itself; Ctrl-C in the middle of that would pass for an error of theirs.
    for name in ("torch._dynamo", "torch.onnx"):
        import_module(name)
    example = torch.zeros(2, classifier.audio.clip_samples)
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registration.level
    # It regrets that torchvision is not installed, which nothing here uses.
    registration.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # torch 2.13's exporter warns about its own use of names that are moving.
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                classifier.eval(),
                (example,),
                dynamo=True,
                opset_version=OPSET,
                input_names=["samples"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                verbose=False,
            )
    except Exception as error:
        if _interrupted(error):
            raise KeyboardInterrupt from error
        if not isinstance(error, torch.onnx.OnnxExporterError):
            raise
        parts = f"features '{classifier.recipe.features.kind}', model '{classifier.recipe.model.kind}'"
        raise ModelError(f"{parts} cannot be written as ONNX: {_innermost(error)}") from error
    finally:
        registration.setLevel(level)
    assert program is not None
    program.model.metadata_props.update(_metadata(classifier))
    return program.model_proto.SerializeToString()


def _interrupted(error: BaseException) -> bool:
    """Whether Ctrl-C is what began it; torch turns that into errors of its own."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if isinstance(each, KeyboardInterrupt):
            return True
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            left += [each.__cause__, each.__context__]
    return False


def _innermost(error: BaseException) -> str:
    """The first line of the cause at the bottom, without a terminal's colours."""
    while error.__cause__:
        error = error.__cause__
    return re.sub(r"\x1b\[[0-9;]*m", "", (str(error) or type(error).__name__).splitlines()[0])


def _metadata(classifier: Classifier) -> dict[str, str]:
    return {
        "format_version": str(FORMAT_VERSION),
        "labels": json.dumps(classifier.labels, ensure_ascii=False),
        "audio": json.dumps(dump(classifier.audio)),
        "resampler": RESAMPLER,
        "recipe": recipe_yaml(classifier.recipe),
        # For readers: the graph's logits are divided by it already.
        "temperature": repr(classifier.temperature),
        "threshold": json.dumps(classifier.threshold),
    } | ({"credit": credit} if (credit := classifier.recipe.features.credit) else {})
