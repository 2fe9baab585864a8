"""Reading the JSON files of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sayso.errors import RunError
from sayso.system.files import read_json, why_unread
from sayso.system.wording import in_shell

__all__ = ["missing", "read_facts"]


def read_facts(path: Path, *, sections: Sequence[str] = ()) -> dict[str, Any]:
    """Read a JSON file of a run's folder.

    Args:
        path: the file.
        sections: keys that must hold a mapping.

    Raises:
        RunError: it is not there, as the run has not finished or somebody removed it; or it is damaged.
    """
    try:
        values = read_json(path)
        if not isinstance(values, dict) or not all(isinstance(values.get(name), dict) for name in sections):
            raise ValueError("not what a run leaves")
    except FileNotFoundError as error:
        raise missing(path) from error
    except (OSError, ValueError) as error:  # not to be opened, no JSON, no text, or none of ours
        raise RunError(f"{path}: {why_unread(error, 'damaged; train again, or remove the run')}") from error
    return values


def missing(path: Path) -> RunError:
    """The error that a file is not in its run's folder, with what to do."""
    return RunError(f"{path.parent}: has no {path.name}{_what_then(path)}")


def _what_then(path: Path) -> str:
    """Say why a file is not there, and what to do: an unfinished run goes on, of another one it was removed."""
    made_by, weights = path.with_name("manifest.json"), path.with_name("model.safetensors")
    removed = weights.is_file() if path == made_by else made_by.is_file() and read_facts(made_by).get("finished")
    if removed:
        recipe = path.with_name("recipe.yaml")
        return f", which its training left there; bring it back, or train anew with `sayso train {in_shell(recipe)}`"
    return f", the run has not finished; go on with `sayso train --resume {in_shell(path.parent)}`"
