"""Weights on disk: `model.safetensors` with recipe and labels in its header, and the state of an unfinished training.

Both are written atomically, and opening either runs no code of whoever made it.
"""

import io
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from sayso.classifier.module import Classifier
from sayso.classifier.tensors import write_tensors
from sayso.errors import ModelError, SettingsError
from sayso.recipe.recipe import kept_recipe_from_text, recipe_yaml
from sayso.runtime.model_facts import check_labels, check_temperature, check_threshold
from sayso.system.files import parse_json, why_unread, write_bytes

__all__ = ["kept_recipe", "load_model", "load_state", "save_model", "save_state"]

FORMAT_VERSION = 2
_READABLE = (1, 2)  # 1 had no temperature


def save_model(path: Path, classifier: Classifier) -> None:
    """Write weights, recipe, labels and temperature to a safetensors file.

    Raises:
        OutputError: the disk is full, or the place cannot be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in classifier.state_dict().items()}
    header = {
        "format_version": FORMAT_VERSION,
        "recipe": recipe_yaml(classifier.recipe),
        "labels": classifier.labels,
        "temperature": classifier.temperature,
        "threshold": classifier.threshold,
    }
    write_tensors(path, tensors, header)


def load_model(path: Path) -> Classifier:
    """Read a classifier back, on the CPU and ready to answer.

    Raises:
        ModelError: the file is missing, damaged, of another format, or its recipe names parts that are not here.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such model; the run may have stopped before its first epoch ended")
    with _model_errors(path):
        header = _read_header(path)
        if header.get("format_version") not in _READABLE:
            readable = " and ".join(map(str, _READABLE))
            raise ModelError(f"{path}: format {header.get('format_version')}, this Sayso reads {readable}")
        recipe = kept_recipe_from_text(header["recipe"], source=str(path))
        classifier = Classifier(recipe, check_labels(header["labels"]))
        classifier.load_state_dict(load_file(path))
        classifier.temperature = check_temperature(header.get("temperature", 1.0))
        classifier.threshold = check_threshold(header.get("threshold"))
    return classifier.eval()


def kept_recipe(path: Path) -> str:
    """Give the YAML of the recipe by which a model was trained, without opening its weights.

    Raises:
        ModelError: the file is missing or damaged.
    """
    with _model_errors(path):
        return _read_header(path)["recipe"]


@contextmanager
def _model_errors(path: Path) -> Generator[None]:
    """Turn what is wrong with a file of weights, met in the block, into one line."""
    try:
        path.open("rb").close()  # what may not be opened is missing to safetensors
        yield
    except (SafetensorError, OSError, KeyError, RuntimeError, TypeError, ValueError, SettingsError) as error:
        why = why_unread(error, f"cannot be read as a Sayso model ({_reason(error)})")
        raise ModelError(f"{path}: {why}") from error


def _reason(error: Exception) -> str:
    """Give the first line of what went wrong."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def _read_header(path: Path) -> dict[str, Any]:
    """Read what the file says of its model; what cannot be raises ValueError."""
    with safe_open(path, framework="pt") as file:
        header: Any = parse_json((file.metadata() or {})["sayso"])
    if not isinstance(header, dict) or not isinstance(header.get("recipe"), str):
        raise ValueError("its header is damaged")
    return header


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write plain tensors, numbers, texts, lists and dicts. Raises as `save_model`."""
    content = io.BytesIO()  # torch does not tell a full disk from what else may fail
    torch.save(state, content)
    write_bytes(path, content.getvalue())


def load_state(path: Path) -> dict[str, Any]:
    """Read what `save_state` wrote.

    Raises:
        ModelError: the file is damaged, or holds anything but plain data.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(state, dict):
            raise TypeError("not a state")
    except Exception as error:  # bytes that are not its own make torch's reader raise nearly anything
        raise ModelError(f"{path}: {why_unread(error, 'cannot be read; remove it and train again')}") from error
    return state
