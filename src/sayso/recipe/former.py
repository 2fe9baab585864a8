"""Recipes as earlier versions spelt them: translated where a run or a model keeps one, told where one is typed."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sayso.errors import Fault

__all__ = ["find_moved_keys", "modernise", "without_later_keys"]

# Until 0.1.0 the split was part of the data set, and validation part of the training.
_MOVED = {
    "dataset": {
        "split": "by",
        "test_share": "test_share",
        "test_speakers": "test_speakers",
        "folds": "folds",
        "fold": "fold",
        "split_seed": "seed",
        "train_speakers": "train_speakers",
        "train_clips_per_speaker": "train_clips_per_speaker",
        "subset_seed": "subset_seed",
    },
    "training": {"validation": "validation", "validation_share": "validation_share"},
}
_BY_FOLDS = "folds"
"""What `dataset.split` was for folds, which are a split by speakers."""


def find_moved_keys(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield a fault for each key that stands where an earlier Sayso had it, with where it stands now."""
    for section, moved in _MOVED.items():
        for key in _keys_of(values, section):
            if key in moved:
                new = _new_spelling(section, key, values)
                yield Fault(f"{section}.{key}", f"is split.{moved[key]} now; write {new}")


def modernise(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give a kept recipe's plain values as this Sayso spells them; those of today come back as they are."""
    split = dict(_keys_of(values, "split"))
    new = dict(values)
    for section, moved in _MOVED.items():
        own = _keys_of(values, section)
        split |= {moved[key]: _said_now(key, value) for key, value in own.items() if key in moved}
        if own:
            new[section] = {key: value for key, value in own.items() if key not in moved}
    return new | ({"split": split} if split else {})


def _keys_of(values: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    own = values.get(section)
    return own if isinstance(own, Mapping) else {}


def _said_now(key: str, value: Any) -> Any:
    return "speakers" if (key, value) == ("split", _BY_FOLDS) else value


def _new_spelling(section: str, key: str, values: Mapping[str, Any]) -> str:
    """The new key with the value that the old one has, on one line.

    >>> _new_spelling("dataset", "split", {"dataset": {"split": "folds"}})
    'split: {by: speakers}'
    """
    value = _said_now(key, values[section][key])
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"split: {{{_MOVED[section][key]}: {shown}}}"


def without_later_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the dump of a recipe says in this version alone, where it says that nothing of the kind is done.

    What an earlier Sayso wrote of the same training then says the same.
    """
    training = {key: value for key, value in values["training"].items() if value or key not in ("average", "mixup")}
    usual = ("usual_threshold",)
    rejection = {key: value for key, value in values["rejection"].items() if value is not None or key not in usual}
    later = ("recordings", "middle_seconds", "middle_db")
    augment = [{key: value for key, value in part.items() if value or key not in later} for part in values["augment"]]
    own = {key: value for key, value in values.items() if value or key != "test_time_speeds"}
    model = {key: value for key, value in values["model"].items() if value or key not in ("last_channels", "causal")}
    return {**own, "model": model, "training": training, "rejection": rejection, "augment": augment}
