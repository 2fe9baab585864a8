"""Thresholds and their costs written into a model that is exported; its graph stays as it is."""

import hashlib
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.streaming_export import check_streaming
from sayso.config.schema import dump
from sayso.runtime.stream_curve import StreamCurve, dump_curve
from sayso.runtime.stream_file import STREAM_FILE
from sayso.runtime.stream_settings import StreamSettings
from sayso.system.files import atomic_path, write_bytes

__all__ = ["write_tuned"]


def write_tuned(
    path: Path, settings: StreamSettings, curve: StreamCurve, clips: NDArray[np.int16], *, card: str = ""
) -> str:
    """Write stream settings and a curve into the metadata of `model.onnx`, and its new SHA-256 into `stream.onnx`.

    Both are written beside the old files first and then take their places one after the other. Stopped in between,
    `stream.onnx` is of another model, and streams are answered by windows: more slowly, with the same answers.

    Args:
        path: `model.onnx`.
        settings: how a stream is to be listened to.
        curve: what was measured.
        clips: packed clips (clips, samples), on which `stream.onnx`, where there is one, must give the model's answers.
        card: the model card that tells of all this; empty: the file's stays as it is.

    Returns:
        SHA-256 of the new `model.onnx`.

    Raises:
        ModelError: `stream.onnx` answers otherwise than the model; both files are as they were.
        OutputError: the folder cannot be written; both files are as they were.
    """
    facts = {"stream": json.dumps(dump(settings), ensure_ascii=False), "stream_curve": dump_curve(curve)}
    facts |= {"card": card} if card else {}
    model = _with_metadata(path, facts)
    sha256 = hashlib.sha256(model).hexdigest()
    beside = path.with_name(STREAM_FILE)
    if not beside.is_file():
        write_bytes(path, model)
        return sha256
    check_streaming(beside, path, clips)
    with atomic_path(beside) as temporary:
        temporary.write_bytes(_with_metadata(beside, {"model_sha256": sha256}))
        write_bytes(path, model)
    return sha256


def _with_metadata(path: Path, changes: dict[str, str]) -> bytes:
    onnx = import_module("onnx")
    model: Any = onnx.load(str(path))
    metadata = {entry.key: entry.value for entry in model.metadata_props} | changes
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, metadata)
    return model.SerializeToString()
