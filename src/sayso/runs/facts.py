"""Reading the JSON files of a run."""

import math
import types
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypedDict, Union, get_args, get_origin, get_type_hints, is_typeddict

from sayso.errors import RunError
from sayso.system.files import read_json, why_unread
from sayso.system.wording import in_shell

__all__ = ["Anything", "missing", "read_facts"]


class Anything(TypedDict):
    """Any values under any keys."""


def read_facts(path: Path, shape: type, *, needed: Collection[str] = ()) -> dict[str, Any]:
    """Read a JSON file of a run's folder.

    Args:
        path: the file.
        shape: a TypedDict that says what it holds; an earlier or later Sayso may have written fewer keys, or others.
        needed: keys of it that every Sayso writes.

    Raises:
        RunError: it is not there, as the run has not finished or somebody removed it; or it is damaged.
    """
    try:
        values = read_json(path)
        if not isinstance(values, dict) or not _holds(values, shape, needed):
            raise ValueError("not what a run leaves")
    except FileNotFoundError as error:
        raise missing(path) from error
    except (OSError, ValueError) as error:  # not to be opened, no JSON, no text, or none of ours
        raise RunError(f"{path}: {why_unread(error, 'damaged; train again, or remove the run')}") from error
    return values


def _holds(values: dict[str, Any], shape: type, needed: Collection[str]) -> bool:
    """Whether the needed keys are there, and those that a TypedDict knows are what it says."""
    own = get_type_hints(shape)
    has_all = all(name in values for name in needed)
    return has_all and all(_is_of(value, own[key]) for key, value in values.items() if key in own)


def _is_of(value: object, hint: Any) -> bool:
    """Whether a value of JSON is what a type says: of a TypedDict, list, dict, union, or plain."""
    if hint is Any:
        return True
    if is_typeddict(hint):
        return isinstance(value, dict) and _holds(value, hint, hint.__required_keys__)
    origin, of = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_is_of(value, each) for each in of)
    if origin is list:
        return isinstance(value, list) and all(_is_of(one, of[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(_is_of(one, of[1]) for one in value.values())
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return type(value) is hint or (value is None and hint is type(None))


def missing(path: Path) -> RunError:
    """The error that a file is not in its run's folder, with what to do."""
    return RunError(f"{path.parent}: has no {path.name}{_what_then(path)}")


def _what_then(path: Path) -> str:
    """Say why a file is not there, and what to do: an unfinished run goes on, of another one it was removed."""
    made_by, weights = path.with_name("manifest.json"), path.with_name("model.safetensors")
    removed = (
        weights.is_file() if path == made_by else made_by.is_file() and read_facts(made_by, Anything).get("finished")
    )
    if removed:
        recipe = path.with_name("recipe.yaml")
        return f", which its training left there; bring it back, or train anew with `sayso train {in_shell(recipe)}`"
    return f", the run has not finished; go on with `sayso train --resume {in_shell(path.parent)}`"
