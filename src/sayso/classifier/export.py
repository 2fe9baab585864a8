"""A trained classifier as one ONNX file with its front end inside, and the proof that the two agree."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sayso.audio import RESAMPLER, to_float
from sayso.classifier.graph import graph_taken_over, make_graph
from sayso.classifier.inference import predict_logits
from sayso.classifier.module import Classifier
from sayso.config.schema import dump
from sayso.errors import ModelError
from sayso.recipe.recipe import recipe_yaml
from sayso.runtime import FORMAT_VERSION, Recognizer
from sayso.system.files import atomic_path

__all__ = ["Agreement", "export"]

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Agreement:
    """How far the exported model's logits are from the trained model's, in float32, on real clips."""

    max_abs_difference: float
    limit: float
    """`TOLERANCE` times the largest logit, at least `TOLERANCE`."""
    clips: int


def export(
    classifier: Classifier, path: Path, clips: NDArray[np.int16], *, like: Path | None = None, card: str = ""
) -> Agreement:
    """Write `model.onnx` and measure on `clips` whether it gives the same answer.

    Args:
        classifier: on the CPU.
        path: where to write.
        clips: packed clips (clips, samples), at least one.
        like: an exported classifier of the same features and network, for other words perhaps, whose graph serves again
            with the new weights in it: one made anew takes seconds. None: it is made anew.
        card: the model card that travels in the file; empty: none.

    Raises:
        ModelError: the graph cannot be made, or its logits differ by more than 1e-4 x max(1, max |logit|); no file is
            left then.
        OutputError: the place cannot be written.
    """
    metadata = _metadata(classifier) | ({"card": card} if card else {})
    taken = graph_taken_over(like, classifier, classifier.classes, metadata) if like else None
    content = taken or _graph_made(classifier, metadata)
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


def _graph_made(classifier: Classifier, metadata: dict[str, str]) -> bytes:
    example = torch.zeros(2, classifier.audio.clip_samples)
    dynamic = ({0: torch.export.Dim("batch")},)
    parts = f"features '{classifier.recipe.features.kind}', model '{classifier.recipe.model.kind}'"
    recipe = classifier.recipe
    program = make_graph(classifier, (example,), ["samples"], ["logits"], dynamic=dynamic, recipe=recipe, what=parts)
    program.model.metadata_props.update(metadata)
    return program.model_proto.SerializeToString()


def _metadata(classifier: Classifier) -> dict[str, str]:
    return {
        "format_version": str(FORMAT_VERSION),
        "labels": json.dumps(classifier.labels, ensure_ascii=False),
        "audio": json.dumps(dump(classifier.audio)),
        "resampler": RESAMPLER,
        "recipe": recipe_yaml(classifier.recipe, names=False),
        # For readers: the graph's logits are divided by it already.
        "temperature": repr(classifier.temperature),
        "threshold": json.dumps(classifier.threshold),
        "stream": json.dumps(dump(classifier.recipe.stream), ensure_ascii=False),
        # By which its nodes' scopes tell the network from the front end.
        "networks": json.dumps(classifier.networks),
    } | ({"credit": credit} if (credit := classifier.recipe.features.credit) else {})
