"""`manifest.json`: what made a run and how its training went, written when it begins and again when it has ended."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

from sayso.config.outside import OutsidePart
from sayso.data.splits.settings import EACH_SPEAKER
from sayso.runs.facts import Anything, read_facts
from sayso.system.files import write_json

__all__ = [
    "Advice",
    "Manifest",
    "StartedManifest",
    "carry_over",
    "put_beside",
    "read_manifest",
    "split_label",
    "write_manifest",
]

# What the last bits of a result depend on, beside recipe and clips; a resumed run may have others.
_RUNS_ON = ("processes", "threads", "device", "precision")
_IN_TURN = "each unheard in turn"
_RESUMED = "resumed with "
# What the words of an earlier Sayso are now.
_FORMER_LEAKAGE = {"unheard_same_samples": "unknown_same_samples", "unheard_near_copies": "unknown_near_copies"}


class Advice(TypedDict):
    """What would help most."""

    most: list[str]
    """Sentences, each with its reason, what helps most first; at least one."""
    basis: str
    """What they rest on, and what cannot be told; empty where nothing is to be said of it."""


class StartedManifest(TypedDict):
    """What `manifest.json` holds from the beginning."""

    finished: bool
    name: str
    created: str
    """When the run began, ISO 8601."""
    data_hash: str
    """SHA-256 over the samples, label, speaker and part of every clip."""
    other_sounds: NotRequired[dict[str, str]]
    """SHA-256 of the samples of what trained beside the clips, such as background noise; runs of an earlier Sayso do
    not say."""
    split_hash: str
    """SHA-256 over the rows of the three parts."""
    split: str
    """official, random, speakers, or each speaker."""
    speakers_shared: int | None
    """How many test speakers are in the training part too; None where those tested are not known."""
    clips: dict[str, int]
    """How many in each part."""
    relabelled: NotRequired[dict[str, int]]
    """How many in each part have another word than the source's, where `dataset.relabel` gave any."""
    seed: int
    threads: int
    processes: int
    precision: str
    device: str
    machine: dict[str, Any]
    versions: dict[str, str]
    outside_parts: NotRequired[list[OutsidePart]]
    """Parts of the recipe that other packages brought, with version and code, where there are any."""
    leakage: dict[str, Any]
    """What the parts share: counts, and the clips by name."""
    notes: list[str]
    """What a reader of the score must know."""
    credit: NotRequired[str]
    """Whose pretrained weights the model holds, and under which licence, where it holds any."""
    adapted_from: NotRequired[dict[str, str]]
    """Name of the run whose weights this one began with, and their SHA-256, where it did."""
    teacher: NotRequired[dict[str, str]]
    """Name of the run whose answers this one, or the run it was adapted from, learned, and the SHA-256 of its weights,
    where it did; of a teacher that was trained first, the SHA-256 of its recipe too."""
    begun_with: NotRequired[dict[str, Any]]
    """Processes, threads, device and precision of the first session, where a later one had others."""


class Manifest(StartedManifest):
    """What it holds once the run has finished."""

    epochs: int
    """How many were run."""
    best_epoch: int
    """The epoch whose weights count, from 1."""
    training_seconds: float
    """In all epochs, over all sessions of the run."""
    duration_seconds: float
    """Of the last session, scores and report included."""
    cpu_seconds: float
    """Processor time of the last session."""
    export: dict[str, Any] | None
    """How closely the exported model agrees with the trained one, and whether it has a form for streams beside it; None
    where none was wanted."""
    advice: NotRequired[Advice]
    """What would help most; not there where no report was wanted, or where the clips are a published set's."""
    tuned: NotRequired[dict[str, Any]]
    """What `sayso tune --write` put into the exported model: when, at which rate of false alarms, over how many hours,
    the thresholds, whether they are those that it had, what was asked, and the SHA-256 of `model.onnx` since then."""


class _Kept(Manifest):
    """As it must be read."""

    finished: Any  # an earlier Sayso may have said when


def write_manifest(path: Path, manifest: StartedManifest) -> None:
    """Write the file, atomically.

    Raises:
        OutputError: it cannot be written there.
    """
    write_json(path, manifest)


def read_manifest(path: Path, *, strictly: bool = True) -> Manifest:
    """Read the file, in today's words; it lacks keys where the run is unfinished or of an earlier Sayso.

    Args:
        path: the file.
        strictly: refuse values that no run leaves; False: take them, as each is to be told by itself.

    Raises:
        RunError: it is not there, or damaged.
    """
    values = read_facts(path, _Kept if strictly else Anything)
    if isinstance(leakage := values.get("leakage"), dict):
        values["leakage"] = {_FORMER_LEAKAGE.get(key, key): value for key, value in leakage.items()}
    return cast(Manifest, values)


def split_label(facts: Mapping[str, Any], test_speakers: int | None) -> str:
    """Say what stands beside a score wherever it is shown: the split, and whether its speakers were heard in training.

    Args:
        facts: `split` and `speakers_shared`, as a manifest holds them.
        test_speakers: how many speakers the scored clips have.

    Returns:
        A few words; empty where not even the split is known, the split alone for runs that did not count speakers.

    >>> split_label({"split": "random", "speakers_shared": 4}, 4)
    'random split: speakers shared'
    >>> split_label({"split": "official", "speakers_shared": 5}, 6)
    'official split: 5 of 6 speakers shared'
    >>> split_label({"split": "speakers", "speakers_shared": 0}, 2)
    'speakers split: no speakers shared'
    >>> split_label({"split": "random", "speakers_shared": None}, 0)
    'random split: speakers not known'
    >>> split_label({"split": "each speaker", "speakers_shared": 0}, 3)
    'over 3 people, each unheard in turn'
    """
    if not facts.get("split"):
        return ""
    if facts["split"] == EACH_SPEAKER:
        return f"over {test_speakers} people, {_IN_TURN}"
    split = f"{facts['split']} split"
    if "speakers_shared" not in facts:
        return split
    shared = facts["speakers_shared"]
    if shared is None:
        return f"{split}: speakers not known"
    if facts["split"] == "random" and shared == test_speakers:
        return f"{split}: speakers shared"
    return f"{split}: {f'{shared} of {test_speakers}' if shared else 'no'} speakers shared"


def put_beside(score: str, label: str) -> str:
    """Put a score and its `split_label` into one line; over whom it is comes first where each was left out in turn.

    >>> put_beside("98.0 % of 300 clips", "random split: speakers shared")
    '98.0 % of 300 clips, random split: speakers shared'
    >>> put_beside("90.9 % of 22 clips", "over 3 people, each unheard in turn")
    'over 3 people, each unheard in turn: 90.9 % of 22 clips'
    >>> put_beside("98.0 % of 300 clips", "")
    '98.0 % of 300 clips'
    """
    if not label:
        return score
    return f"{label}: {score}" if label.endswith(_IN_TURN) else f"{score}, {label}"


def carry_over(before: StartedManifest, manifest: StartedManifest) -> str | None:
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
