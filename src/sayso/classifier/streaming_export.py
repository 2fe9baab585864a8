"""The streaming form of a classifier as `stream.onnx`, beside the model that it belongs to."""

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sayso.classifier.graph import graph_taken_over, make_graph
from sayso.classifier.module import Classifier
from sayso.classifier.streaming import StreamingClassifier, make_streaming
from sayso.errors import ModelError
from sayso.runtime.hops import Stateful, Windows, score_stream
from sayso.runtime.model_file import FORMAT_VERSION
from sayso.runtime.recognizer import Recognizer
from sayso.runtime.stream_file import STREAM_FILE, StreamFile
from sayso.system.files import atomic_path, file_digest

__all__ = ["check_streaming", "export_streaming"]

_TOLERANCE = 1e-5
_HOPS = 40
# So many of them one at a time, by the graph for single chunks.
_SINGLY = 4


def export_streaming(
    classifier: Classifier, model: Path, clips: NDArray[np.int16], *, like: Path | None = None
) -> Path | None:
    """Write `stream.onnx` beside an exported model, and check on real clips that it gives the model's answers.

    Args:
        classifier: what was exported, on the CPU.
        model: its `model.onnx`.
        clips: packed clips (clips, samples), which one after the other are the stream.
        like: the streaming form of a classifier of the same parts, whose graph serves again; None: it is made anew.

    Returns:
        The file; None where a clip is heard as a whole (see `make_streaming`), so that streams are answered by windows.

    Raises:
        ModelError: the graph cannot be made, or logits differ by more than 1e-5 x max(1, max |logit|).
    """
    hop = classifier.recipe.stream.hop_samples(classifier.audio.sample_rate)
    streaming = make_streaming(classifier, hop)
    path = model.with_name(STREAM_FILE)
    if streaming is None:
        path.unlink(missing_ok=True)
        return None
    facts = _facts(streaming, model)
    taken = graph_taken_over(like, streaming, classifier.classes, facts) if like else None
    content = taken or _graph_made(streaming, facts)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
        try:
            check_streaming(temporary, model, clips)
        except ModelError as error:
            raise ModelError(f"{error}; the trained weights are kept, please report the recipe") from error
    return path


def _facts(streaming: StreamingClassifier, model: Path) -> dict[str, str]:
    facts = {
        "format_version": FORMAT_VERSION,
        "model_sha256": file_digest(model),
        "hop_samples": streaming.hop,
        "lead_samples": streaming.lead,
        "first": streaming.first,
        "form": streaming.form,
        "networks": json.dumps(streaming.networks),
    }
    return {name: str(value) for name, value in facts.items()}


def _graph_made(streaming: StreamingClassifier, facts: dict[str, str]) -> bytes:
    """The graph; the state's parts go in as state_0, state_1, ... and come out as next_0, next_1, ..."""
    examples = (torch.zeros(2, streaming.hop), *(torch.zeros(shape) for shape in streaming.state))
    places = range(len(streaming.state))
    program = make_graph(
        streaming,
        examples,
        ["samples", *(f"state_{place}" for place in places)],
        ["logits", *(f"next_{place}" for place in places)],
        dynamic=({0: torch.export.Dim("chunks")}, tuple({} for _ in places)),
        recipe=streaming.classifier.recipe,
        what=f"features '{streaming.classifier.recipe.features.kind}' as a stream",
    )
    program.model.metadata_props.update(facts)
    return program.model_proto.SerializeToString()


def check_streaming(path: Path, model: Path, clips: NDArray[np.int16]) -> float:
    """Check that a streaming form gives a model's answers on clips that are laid one after another.

    Args:
        path: the streaming form.
        model: the exported model.
        clips: packed clips (clips, samples), at least one.

    Returns:
        The largest difference between logits.

    Raises:
        ModelError: one of the files cannot be read, or logits differ by more than 1e-5 x max(1, max |logit|).
    """
    recognizer = Recognizer(model)
    stateful = Stateful(StreamFile(path, threads=0))
    least = recognizer.audio.clip_samples + _HOPS * stateful.hop
    stream = np.resize(clips[: -(-least // clips.shape[1])], least)
    expected = score_stream(Windows(recognizer, stateful.hop), stream)
    found = score_stream(stateful, stream, singly=_SINGLY)[: len(expected)]
    limit = _TOLERANCE * max(1.0, float(np.abs(expected).max()))
    difference = float(np.abs(expected - found).max())
    if not difference <= limit:  # so that NaN does not pass
        raise ModelError(
            f"{path}: logits on a stream differ from those on its windows by {difference:.2g}, the limit is {limit:.2g}"
        )
    return difference
