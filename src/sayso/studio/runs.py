"""The runs of a folder of recordings: those below `runs` whose recipe names it, with their scores."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from sayso.errors import DataError, RunError, SaysoError
from sayso.runs.folder import RunFolder, list_runs
from sayso.runs.manifest import split_label
from sayso.studio.takes import MANIFEST
from sayso.system.claims import locked_folder

__all__ = ["choose_compared", "describe_runs", "find_run", "score_of"]

_MOST_RUNS = 50
_MOST_COMPARED = 5


def describe_runs(root: Path, folder: Path, *, also: str | None = None) -> list[dict[str, Any]]:
    """The runs that learned from these recordings, newest first, in plain values: `name`, `state`, `accuracy`.

    Args:
        root: folder of runs.
        folder: of the recordings.
        also: name of a run that belongs to them, whatever it learned from.
    """
    return [_describe(run) for run in _own(root, folder, also)]


def choose_compared(root: Path, folder: Path, *, also: str | None = None) -> list[RunFolder]:
    """The newest finished run of these recordings, and up to four before it that tested some of the same clips.

    Arguments as `describe_runs`.

    Raises:
        DataError: there are no two such runs.
    """
    tested: list[tuple[RunFolder, set[tuple[str, str, str]]]] = []
    for run in _own(root, folder, also):
        with suppress(SaysoError, OSError):
            if run.finished and run.onnx.is_file():
                clips = {(clip.clip, clip.start_seconds, clip.label) for clip in run.predictions().clips}
                tested.append((run, clips))
    if len(tested) < 2:
        have = "one training has" if tested else "no training has"
        raise DataError(f"a comparison takes two finished trainings of these recordings; {have} ended so far")
    (newest, common), chosen = tested[0], [tested[0][0]]
    for run, clips in tested[1:]:
        if len(chosen) < _MOST_COMPARED and common & clips:
            common &= clips
            chosen.append(run)
    if len(chosen) < 2:
        raise DataError(f"{newest.path.name} was tested on no clip that an earlier training was tested on")
    return chosen


def _own(root: Path, folder: Path, also: str | None) -> list[RunFolder]:
    """The runs that learned from these recordings, newest first."""
    names = {str(folder.resolve()), str(folder.resolve() / MANIFEST)}
    own = [run for run in list_runs(root) if run.path.name == also or _learned_from(run, names, folder.name)]
    return own[-_MOST_RUNS:][::-1]


def find_run(root: Path, name: str) -> RunFolder:
    """The run of this name; nothing but runs directly in that folder is found.

    Raises:
        RunError: there is none.
    """
    for run in list_runs(root):
        if run.path.name == name:
            return run
    raise RunError("there is no such run; it was removed, or never there")


def score_of(run: RunFolder) -> dict[str, Any]:
    """What a finished run scored, in plain values.

    Raises:
        RunError: it has not finished, or is damaged.
    """
    test, manifest = run.metrics()["test"], run.manifest()
    people: dict[str, dict[str, Any]] = test.get("per_speaker") or {}
    by_speaker = [
        {"speaker": name, "n": facts["n"], "accuracy": facts["accuracy"], "ci95": facts.get("accuracy_ci95")}
        for name, facts in sorted(people.items(), key=_worst_first)
    ]
    return {
        "name": run.path.name,
        "accuracy": test["accuracy"],
        "n": test["n"],
        "ci95": test.get("accuracy_ci95"),
        "speakers_ci95": test.get("speaker_accuracy_ci95"),
        "split": split_label(manifest, test.get("speakers")),
        "by_speaker": by_speaker,
        "notes": list(dict.fromkeys(manifest.get("notes") or [])),
        "has_report": run.report.is_file(),
        "has_model": run.onnx.is_file(),
    }


def _worst_first(person: tuple[str, dict[str, Any]]) -> tuple[float, int, str]:
    name, facts = person
    return facts["accuracy"], -facts["n"], name


def _learned_from(run: RunFolder, names: set[str], called: str) -> bool:
    paths = {*_paths_in(run)}
    # Words alone have no path: there the name that the page gave is all there is.
    return bool(names & paths) or (not paths and run.path.name.startswith(f"{called}-2"))


def _describe(run: RunFolder) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": run.path.name, "state": "unfinished", "accuracy": None}
    with suppress(SaysoError, OSError, KeyError):
        if run.finished:
            facts |= {"state": "finished", "accuracy": run.metrics()["test"]["accuracy"]}
        elif _is_locked(run):
            facts["state"] = "running"
    return facts


def _is_locked(run: RunFolder) -> bool:
    try:
        with locked_folder(run.path):
            return False
    except RunError:
        return True


def _paths_in(run: RunFolder) -> Iterator[str]:
    with suppress(OSError, ValueError, yaml.YAMLError):
        yield from _paths((yaml.safe_load(run.recipe.read_text(encoding="utf-8")) or {}).get("dataset"))


def _paths(value: Any) -> Iterator[str]:
    """Every `path` in a data set, also in one that mixes others."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "path" and isinstance(inner, str):
                yield str(Path(inner).resolve())
            else:
                yield from _paths(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner)
