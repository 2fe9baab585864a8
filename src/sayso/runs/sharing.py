"""What of a recipe may be given to others: all of it, but for people's names, paths and folders."""

from collections.abc import Mapping
from typing import Any

__all__ = ["LEFT_OUT", "without_names"]

LEFT_OUT = "left out"
"""What stands in place of a name, a path or a folder."""
_NAMING = frozenset(
    (
        "path",
        "exclude",
        "relabel",
        "speaker_pattern",
        "test_speakers",
        "allow_copies",
        "recordings",
        "track_to",
        "teacher",
    )
)


def without_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give a recipe's plain values without people's names, paths and folders.

    What stands under a key that names such is left out, and every text that looks like a path, under whatever key.

    >>> without_names({"dataset": {"kind": "folder", "path": "anna"}, "rejection": {"recordings": ["/home/anna/talk"]}})
    {'dataset': {'kind': 'folder', 'path': 'left out'}, 'rejection': {'recordings': ['left out']}}
    """
    return {key: _shared(value, names=key in _NAMING) for key, value in values.items()}


def _shared(value: Any, *, names: bool) -> Any:
    if isinstance(value, Mapping):
        return without_names(value)
    if isinstance(value, list):
        return [_shared(each, names=names) for each in value]
    is_text = isinstance(value, str) and bool(value)
    return LEFT_OUT if is_text and (names or "/" in value or "\\" in value) else value
