"""A model as it is given to others: with its card, and without people's names, paths and folders."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sayso.config.overrides import load_yaml
from sayso.delivery.card import find_card
from sayso.delivery.model_bytes import read_metadata, with_metadata
from sayso.errors import Fault, ModelError, OutputError, SettingsError
from sayso.runs.folder import RunFolder
from sayso.runs.sharing import without_names

__all__ = ["MODEL_CARD", "SharedModel", "check_new", "shared_model"]

MODEL_CARD = "MODEL_CARD.md"
"""Its name, beside what is delivered."""


@dataclass(frozen=True)
class SharedModel:
    """What is given to others of a model."""

    content: bytes
    """An ONNX file."""
    card: str
    """Empty where neither the file nor its folder has one."""
    recipe: Mapping[str, Any]
    """Plain values of its recipe; empty where that is not known."""


def check_new(folder: Path) -> None:
    """Raise OutputError where something is there already, for deliveries that never write over anything."""
    if folder.is_dir() and any(folder.iterdir()):
        raise OutputError(f"{folder} is there already; choose a new folder, or remove it first")
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; choose a folder")


def shared_model(model: Path, graph: Path, *, names: bool = False) -> SharedModel:
    """Make a model ready to be given to others.

    Args:
        model: what a person named: a run's folder, or `model.onnx`.
        graph: the ONNX file that is delivered, that file or its form for streams.
        names: keep people's names, paths and folders, which only a run's folder has all of.

    Raises:
        ModelError: the file is damaged.
        SettingsError: names are asked of a file that does not lie in the folder of its run.
    """
    run = RunFolder(model if model.is_dir() else model.parent)
    own = run.onnx if model.is_dir() else model
    is_run = run.manifest_file.is_file() and own == run.onnx
    if names and not is_run:
        raise SettingsError([Fault("--names", f"{model} has none, but the folder of its run may; name that")])
    try:
        kept = read_metadata(own.read_bytes())
        content = graph.read_bytes()
        facts = read_metadata(content)
        recipe = load_yaml(run.recipe.read_text(encoding="utf-8") if names else kept.get("recipe", ""))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ModelError(f"{own}: damaged ({error}); export it again") from error
    values: Mapping[str, Any] = recipe if isinstance(recipe, Mapping) else {}
    shared = values if names else without_names(values)
    card = find_card(run.path, names=names) if is_run else kept.get("card", "")
    changes = {"card": card} if card != kept.get("card", "") else {}
    if names or shared != values:
        changes["recipe"] = yaml.safe_dump(dict(shared), sort_keys=False, allow_unicode=True)
    return SharedModel(with_metadata(content, changes) if changes and "recipe" in facts else content, card, shared)
