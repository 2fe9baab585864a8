"""The folder of a study, a comparison or a learning curve: one writer at a time, and one study."""

import fcntl
import os
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sayso.data.splits.folds import Folds
from sayso.errors import RunError
from sayso.system.claims import locked_folder
from sayso.system.files import output_errors, read_json, write_json

__all__ = ["TRIALS", "StudyFolder", "claimed"]

TRIALS = "trials"
"""Where the folders of the trials lie, in the folder of the study."""

_LOCK, _PLAN = ".lock", "plan.json"
_COMPARISON = "comparison"
_TRIALS_BEFORE = "cells"
_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class StudyFolder:
    """A folder that is this process's to write to."""

    path: Path
    lock: int
    """File number of its lock; whoever has it open keeps others out."""

    @property
    def trials(self) -> Path:
        """Where the folders of its trials lie."""
        return self.path / TRIALS


@contextmanager
def claimed(
    path: Path, *, folds: Folds | None, sources: Mapping[str, str], what: str = _COMPARISON
) -> Generator[StudyFolder]:
    """Keep other comparisons out of a folder for as long as the block runs.

    The lock goes with the processes that have it open, however they end, so that one killed leaves nothing behind.

    Args:
        path: the folder; new, or of the same comparison.
        folds: how it divides clips; another number makes another comparison.
        sources: name of each recipe to where it was read; more may come, but none from elsewhere under the same name.
        what: what the folder holds, for messages; something else with trials is kept out of it.

    Raises:
        RunError: another comparison writes there, or the folder holds something else.
        OutputError: it cannot be written.
    """
    with output_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    # Locked while it is looked at, so that no run takes it as its own, still empty folder in between.
    with locked_folder(path), output_errors(path):
        if any(path.iterdir()) and not (path / _LOCK).exists():
            raise RunError(f"{path}: exists and holds no {what}, nothing was changed; choose another --out")
        file = (path / _LOCK).open("a+", encoding="utf-8")
    with file:
        _take(file, path)
        _check_plan(path, what, folds, {name: str(Path(source).resolve()) for name, source in sources.items()})
        _take_over_cells(path)
        yield StudyFolder(path, file.fileno())


def _take(file: IO[str], path: Path) -> None:
    """Lock the file; of a comparison that was killed, its processes are waited for, which end by themselves."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            file.seek(0)
            writer = file.read().strip()
            if _alive(writer) or time.monotonic() > deadline:
                raise RunError(
                    f"{path}: another command (process {writer or 'unknown'}) is writing there; wait for it, or "
                    "choose another --out"
                ) from error
            time.sleep(0.1)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()


def _take_over_cells(path: Path) -> None:
    """Trials lay in `cells` once; those that are finished there are kept."""
    if (path / _TRIALS_BEFORE).is_dir() and not (path / TRIALS).exists():
        with output_errors(path):
            (path / _TRIALS_BEFORE).rename(path / TRIALS)


def _alive(process: str) -> bool:
    if not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _check_plan(path: Path, what: str, folds: Folds | None, sources: Mapping[str, str]) -> None:
    before: dict[str, str] = {}
    if (path / _PLAN).exists():
        try:
            plan = read_json(path / _PLAN)
            before = {str(name): str(source) for name, source in plan["recipes"].items()}
            dealt, held = plan["folds"], plan.get("what", _COMPARISON)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(f"{path / _PLAN}: damaged; remove it, and trials that are finished will count") from error
        if held != what:
            raise RunError(f"{path}: holds a {held}, nothing was changed; choose another --out")
        if dealt != folds:
            raise RunError(f"{path}: holds a comparison with --folds {dealt}, this has {folds}; choose another --out")
        for name in sources.keys() & before.keys():
            if before[name] != sources[name]:
                raise RunError(
                    f"{path}: holds a {what} whose {name} is {before[name]}, not {sources[name]}; choose another --out"
                )
    write_json(path / _PLAN, {"what": what, "folds": folds, "recipes": before | dict(sources)})
