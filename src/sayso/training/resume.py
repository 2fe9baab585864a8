"""The state an unfinished training goes on from, and what it must belong to."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.plugins.io import CheckpointIO

from sayso.classifier.checkpoint import load_state, save_state
from sayso.config.schema import dump
from sayso.errors import ModelError, RunError
from sayso.recipe.prepared import Prepared
from sayso.system.wording import listed

__all__ = ["BOOKS", "PlainCheckpoints", "identify", "read_books", "read_state"]

BOOKS = "bookkeeper"
"""Under this key among a state's callbacks lie the books, with what the state belongs to."""
# In states of an earlier Sayso; the hash of the split says as much.
_FORMER_KEYS = ("training.validation", "training.validation_share")


class PlainCheckpoints(CheckpointIO):
    """Lightning's checkpoints by way of `sayso.classifier.checkpoint`: atomic, and plain data only.

    Args:
        state: what was read already and is to be gone on from; given out once, so that no second copy stays in memory.
    """

    def __init__(self, state: dict[str, Any] | None) -> None:
        self._state = state

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a state."""
        del storage_options
        save_state(Path(path), checkpoint)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Give the state that was read before."""
        del map_location, weights_only
        state, self._state = self._state, None
        if state is None:
            raise ModelError(f"{path}: was not read before it was needed")
        return state

    def remove_checkpoint(self, path: Any) -> None:
        """Remove a state."""
        Path(path).unlink(missing_ok=True)


def identify(prepared: Prepared) -> dict[str, Any]:
    """Give what a state must agree with to be gone on from: the recipe and the clips.

    Where the clips lie, and where epochs are shown, may have changed; how clips were divided is in the split's hash.
    """
    settings = {key: value for key, value in dump(prepared.recipe).items() if key not in ("dataset", "split")}
    settings["training"] = {key: value for key, value in settings["training"].items() if not key.startswith("track")}
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
    differ = [key for key in {**here, **there} if there.get(key) != here.get(key) and key not in _FORMER_KEYS]
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
