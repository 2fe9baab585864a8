"""`manifest.json`: what made a run."""

from collections.abc import Mapping
from typing import Any

__all__ = ["carry_over", "split_label"]

# What the last bits of a result depend on, beside recipe and clips; a resumed run may have others.
_RUNS_ON = ("processes", "threads", "device", "precision")
_RESUMED = "resumed with "


def split_label(metrics: Mapping[str, Any]) -> str:
    """What stands beside a score wherever it is shown: the split, and whether its speakers were heard in training.

    Args:
        metrics: as `metrics.json` holds them: `split`, `speakers_shared`, and `speakers` in `test`.

    Returns:
        A few words; empty where not even the split is known, the split alone for runs that did not count speakers.

    >>> split_label({"split": "random", "speakers_shared": 4, "test": {"speakers": 4}})
    'random split: speakers shared'
    >>> split_label({"split": "official", "speakers_shared": 5, "test": {"speakers": 6}})
    'official split: 5 of 6 speakers shared'
    >>> split_label({"split": "speakers", "speakers_shared": 0, "test": {"speakers": 2}})
    'speakers split: no speakers shared'
    >>> split_label({"split": "random", "speakers_shared": None, "test": {"speakers": 0}})
    'random split: speakers not known'
    """
    if not metrics.get("split"):
        return ""
    split = f"{metrics['split']} split"
    if "speakers_shared" not in metrics:
        return split
    shared, tested = metrics["speakers_shared"], metrics["test"].get("speakers")
    if shared is None:
        return f"{split}: speakers not known"
    if metrics["split"] == "random" and shared == tested:
        return f"{split}: speakers shared"
    return f"{split}: {f'{shared} of {tested}' if shared else 'no'} speakers shared"


def carry_over(before: Mapping[str, Any], manifest: dict[str, Any]) -> str | None:
    """Put into a resumed run's manifest when it was created and, where that is no longer so, what it began with.

    Args:
        before: the manifest that the run was stopped with.
        manifest: the one it goes on with; changed in place: `created`, `begun_with` and `notes`.

    Returns:
        A note, also put into the manifest, when the run goes on with other processes, threads, device or precision.
    """
    manifest["created"] = before["created"]
    manifest["notes"] += [note for note in before["notes"] if note.startswith(_RESUMED)]
    changed = [key for key in _RUNS_ON if before[key] != manifest[key]]
    if changed or "begun_with" in before:
        manifest["begun_with"] = before.get("begun_with") or {key: before[key] for key in _RUNS_ON}
    if not changed:
        return None
    changes = ", ".join(f"{key} {manifest[key]} instead of {before[key]}" for key in changed)
    note = f"{_RESUMED}{changes}: the last bits may differ from those of a run in one piece"
    manifest["notes"].append(note)
    return note
