"""The state an unfinished training goes on from, and what it must belong to."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sayso.classifier.checkpoint import load_state
from sayso.config.schema import dump
from sayso.errors import ModelError, RunError
from sayso.recipe.former import without_later_keys
from sayso.recipe.prepared import Prepared
from sayso.system.wording import listed
from sayso.training.teacher import Teacher

__all__ = ["BOOKS", "identify", "read_books", "read_state"]

BOOKS = "bookkeeper"
"""Under this key among a state's callbacks lie the books, with what the state belongs to."""
_OF_A_TEACHER = ("teacher", "teacher_weight", "teacher_temperature")
# In states of an earlier Sayso; the hash of the split says as much.
_FORMER_KEYS = ("training.validation", "training.validation_share")
_LATER_KEYS = ("noise", "recordings")
"""Not in states of an earlier Sayso."""


def identify(prepared: Prepared, teacher: Teacher | None = None) -> dict[str, Any]:
    """Give what a state must agree with to be gone on from: the recipe, all sound and the teacher's weights.

    Where clips, recordings and the teacher lie, and where epochs are shown, may have changed; how clips were
    divided is in the split's hash.
    """
    settings = without_later_keys(dump(prepared.recipe))
    settings = {key: value for key, value in settings.items() if key not in ("dataset", "split")}
    settings["training"] = {key: value for key, value in settings["training"].items() if not key.startswith("track")}
    if prepared.corpus.noise:
        settings["noise"] = prepared.corpus.noise_hash
    if prepared.recordings:
        settings["recordings"] = prepared.recordings.content_hash
    if prepared.background:
        settings["background"] = prepared.background.content_hash
    settings["augment"] = [
        {key: value for key, value in part.items() if key != "recordings"} for part in settings["augment"]
    ]
    if teacher is None:
        settings["training"] = {key: value for key, value in settings["training"].items() if key not in _OF_A_TEACHER}
    else:
        settings["training"]["teacher"] = teacher.weights_digest
    if prepared.negatives:
        settings["rejection"] = settings["rejection"] | {"negatives": prepared.negatives.content_hash}
    else:
        del settings["rejection"]
    return settings | {"clips": prepared.corpus.content_hash, "split": prepared.split.split_hash}


def read_state(path: Path, own: Mapping[str, Any]) -> dict[str, Any]:
    """Read a state and check that it is of this training.

    Raises:
        ModelError: the file is damaged, or no state of a training.
        RunError: it is of another recipe or of other clips.
    """
    state = load_state(path)
    if not {"callbacks", "epoch", "state_dict"} <= state.keys() or "identity" not in state["callbacks"].get(BOOKS, {}):
        raise ModelError(f"{path}: is no state of a training; remove it and train again")
    there, here = dict(_flat(read_books(state)["identity"])), dict(_flat(own))
    unknown = (*_FORMER_KEYS, *(key for key in _LATER_KEYS if key not in there))
    differ = [key for key in {**here, **there} if there.get(key) != here.get(key) and key not in unknown]
    if differ:
        shown = [f"{key} is {there.get(key)} there and {here.get(key)} in this run" for key in differ]
        raise RunError(
            f"{path}: belongs to another recipe or to other clips ({listed(shown, 3, between='; ', count_rest=True)}); "
            "bring the run's own back, or remove it to train from the start"
        )
    return state


def read_books(state: Mapping[str, Any]) -> dict[str, Any]:
    """The books in a state that `read_state` gave."""
    return state["callbacks"][BOOKS]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
