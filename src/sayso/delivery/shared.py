"""A model as it is given to others: with its card, and without people's names, paths and folders."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sayso.config.overrides import load_yaml
from sayso.delivery.card import find_card
from sayso.delivery.model_bytes import read_metadata, with_metadata
from sayso.errors import Fault, ModelError, SettingsError
from sayso.runs.folder import RunFolder
from sayso.runs.sharing import without_names
from sayso.system.files import why_unread

__all__ = ["MODEL_CARD", "SharedModel", "shared_model"]

MODEL_CARD = "MODEL_CARD.md"
"""Its name, beside what is delivered."""

_DAMAGED = "damaged; export it again"


@dataclass(frozen=True)
class SharedModel:
    """What is given to others of a model."""

    content: bytes
    """An ONNX file."""
    card: str
    """Empty where neither the file nor its folder has one."""
    recipe: Mapping[str, Any]
    """Plain values of its recipe; empty where that is not known."""


def shared_model(model: Path, graph: Path, *, names: bool = False) -> SharedModel:
    """Make a model ready to be given to others.

    Args:
        model: what a person named: a run's folder, or `model.onnx`.
        graph: the ONNX file that is delivered, that file or its form for streams.
        names: keep people's names, paths and folders, which only a run's folder has all of.

    Raises:
        ModelError: a file is damaged, or cannot be read.
        SettingsError: names are asked of a file that does not lie in the folder of its run.
    """
    run = RunFolder(model if model.is_dir() else model.parent)
    own = run.onnx if model.is_dir() else model
    is_run = run.manifest_file.is_file() and own == run.onnx
    if names and not is_run:
        raise SettingsError([Fault("--names", f"{model} has none, but the folder of its run may; name that")])
    _, kept = _read_model(own)
    content, facts = _read_model(graph)
    recipe = (
        _read_recipe(run.recipe) if names else _recipe_of(kept.get("recipe", ""), f"{own}: its recipe is {_DAMAGED}")
    )
    values: Mapping[str, Any] = recipe if isinstance(recipe, Mapping) else {}
    shared = values if names else without_names(values)
    card = find_card(run.path, names=names) if is_run else kept.get("card", "")
    changes = {"card": card} if card != kept.get("card", "") else {}
    if names or shared != values:
        changes["recipe"] = yaml.safe_dump(dict(shared), sort_keys=False, allow_unicode=True)
    return SharedModel(with_metadata(content, changes) if changes and "recipe" in facts else content, card, shared)


def _read_model(path: Path) -> tuple[bytes, dict[str, str]]:
    """Read an ONNX file and its metadata."""
    try:
        content = path.read_bytes()
        return content, read_metadata(content)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: {why_unread(error, _DAMAGED)}") from error


def _read_recipe(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: {why_unread(error, 'cannot be read as a text file; leave out --names')}") from error
    return _recipe_of(text, f"{path}: is damaged; leave out --names")


def _recipe_of(text: str, otherwise: str) -> Any:
    try:
        return load_yaml(text)
    except yaml.YAMLError as error:
        raise ModelError(otherwise) from error
