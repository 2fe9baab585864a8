"""Reading the JSON files of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sayso.errors import RunError
from sayso.system.files import read_json

__all__ = ["read_facts"]


def read_facts(path: Path, *, sections: Sequence[str] = ()) -> dict[str, Any]:
    """Read a JSON file of a run's folder.

    Args:
        path: the file.
        sections: keys that must hold a mapping.

    Raises:
        RunError: it is not there, as the run has not finished; or it is damaged.
    """
    try:
        values = read_json(path)
        if not isinstance(values, dict) or not all(isinstance(values.get(name), dict) for name in sections):
            raise ValueError("not what a run leaves")
    except FileNotFoundError as error:
        raise RunError(
            f"{path.parent}: has no {path.name}, the run has not finished; go on with "
            f"`sayso train --resume {path.parent}`"
        ) from error
    except ValueError as error:  # no JSON, no text, or none of ours
        raise RunError(f"{path}: damaged; train again, or remove the run") from error
    return values
