"""What a model file that Sayso exported says of itself, and how it is opened."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sayso.audio import RESAMPLER, AudioFormat
from sayso.config.schema import read
from sayso.errors import ModelError, SettingsError
from sayso.runtime.model_facts import check_labels, check_temperature, check_threshold
from sayso.runtime.stream_curve import StreamCurve, read_curve
from sayso.runtime.stream_settings import StreamSettings
from sayso.system.files import parse_json, why_unread
from sayso.system.wording import in_shell

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["FORMAT_VERSION", "ModelFacts", "find_model_file", "open_for_each_count", "open_session", "read_facts"]

FORMAT_VERSION = 2
_READABLE = ("1", "2")
_USUAL_NAME = "model.onnx"
_NO_MODEL = "not a model that onnxruntime can open"


@dataclass(frozen=True)
class ModelFacts:
    """What stands in a model's metadata."""

    labels: tuple[str, ...]
    audio: AudioFormat
    recipe: str
    """As YAML text."""
    temperature: float
    threshold: float | None
    stream: StreamSettings | None
    """None in files of format 1, which knew no streams."""
    stream_curve: StreamCurve | None
    """What each threshold costs on streams; None where the model was never tuned."""
    credit: str
    """Whose pretrained weights are in it; empty where there are none."""
    card: str
    """Its model card, as Markdown; empty in files of an earlier Sayso."""


def find_model_file(path: Path) -> Path:
    """Give the file that a person means by a model: that of a run's folder, or the file itself.

    Raises:
        ModelError: it is not there; of a run, what to do.
    """
    file = path / _USUAL_NAME if path.is_dir() else path
    if file.is_file():
        return file
    if file.name == _USUAL_NAME and file.with_name("recipe.yaml").is_file():
        going_on = f"if its training was stopped, `sayso train --resume {in_shell(file.parent)}` goes on"
        raise ModelError(f"{file.parent}: has no {file.name}; {going_on}, if not, bring the file back or train anew")
    raise ModelError(f"{file}: no such model file; train one with `sayso train`")


class OpenModel(NamedTuple):
    """An ONNX file that is open."""

    session: "InferenceSession"
    metadata: dict[str, str]
    sha256: str
    """Of what was opened; another file may lie there since."""


def open_session(path: Path, *, threads: int) -> OpenModel:
    """Open an ONNX file.

    Raises:
        ModelError: it is missing, or no model.
    """
    content = _content(path)
    return OpenModel(*_open(path, content, threads, {}), hashlib.sha256(content).hexdigest())


def open_for_each_count(
    path: Path, *, threads: int
) -> "tuple[InferenceSession, Callable[[], InferenceSession], dict[str, str]]":
    """Open an ONNX file for inputs of any length, and again, when asked, for those whose first input is one long.

    Where all sizes are known before, a small graph has a tenth fewer steps.

    Returns:
        The session, what opens the other one of the very same content, and the metadata.

    Raises:
        ModelError: as `open_session`.
    """
    content = _content(path)
    session, metadata = _open(path, content, threads, {})

    def open_for_one() -> "InferenceSession":
        shape = next((each.shape for each in session.get_inputs()), [])
        length = shape[0] if shape else None
        return _open(path, content, threads, {length: 1})[0] if isinstance(length, str) else session

    return session, open_for_one, metadata


def _content(path: Path) -> bytes:
    try:
        # In memory: onnxruntime keeps no hold on the file, which may be replaced while it is in use.
        return find_model_file(path).read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {why_unread(error, _NO_MODEL)}") from error


def _open(
    path: Path, content: bytes, threads: int, sizes: Mapping[str, int]
) -> "tuple[InferenceSession, dict[str, str]]":
    import onnxruntime  # a tenth of a second, which reading settings need not wait for

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    for name, size in sizes.items():
        options.add_free_dimension_override_by_name(name, size)
    try:
        session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
        return session, dict(session.get_modelmeta().custom_metadata_map)
    except Exception as error:  # onnxruntime's own errors share no base, and its texts may be none
        raise ModelError(f"{path}: {_NO_MODEL}") from error


def read_facts(path: Path, metadata: Mapping[str, str]) -> ModelFacts:
    """Read the metadata of `model.onnx`.

    Raises:
        ModelError: it is not of Sayso, of a format that this version does not read, or damaged.
    """
    if "format_version" not in metadata:
        raise ModelError(f"{path}: an ONNX model, but not one that Sayso exported (no format_version in its metadata)")
    version = metadata["format_version"]
    if version not in _READABLE:
        readable = " and ".join(_READABLE)
        raise ModelError(f"{path}: format_version {version}, this Sayso reads {readable}; export it again")
    if metadata.get("resampler") != RESAMPLER:
        raise ModelError(f"{path}: resampler '{metadata.get('resampler')}', this Sayso has '{RESAMPLER}'")
    try:
        return ModelFacts(
            labels=check_labels(parse_json(metadata["labels"])),
            audio=read(AudioFormat, parse_json(metadata["audio"])),
            recipe=metadata["recipe"],
            # Files made before there were any have none.
            temperature=check_temperature(parse_json(metadata.get("temperature", "1"))),
            threshold=check_threshold(parse_json(metadata.get("threshold", "null"))),
            stream=read(StreamSettings, parse_json(metadata["stream"])) if "stream" in metadata else None,
            stream_curve=read_curve(metadata["stream_curve"]) if "stream_curve" in metadata else None,
            credit=metadata.get("credit", ""),
            card=metadata.get("card", ""),
        )
    except (KeyError, ValueError, SettingsError) as error:
        raise ModelError(f"{path}: its metadata is damaged ({error}); export it again") from error
