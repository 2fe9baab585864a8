"""A training that the page begins: `sayso train`, followed by the log that it writes."""

import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.errors import RunError
from sayso.runs.folder import RunFolder
from sayso.runs.log import read_log
from sayso.studio.jobs import Job, free_path

__all__ = ["Training", "Wanted"]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a training is asked for."""

    source: Path | None
    """A folder or manifest; None: words alone."""
    words_file: Path | None = None
    language: str = ""
    small: bool = False
    epochs: int | None = None
    overrides: tuple[str, ...] = ()
    """Settings laid over those of the recordings, `key=value` each."""

    @property
    def arguments(self) -> list[str]:
        """Of `sayso train`."""
        given = ["--words-file", str(self.words_file)] if self.source is None else [str(self.source)]
        is_small = self.small and self.source is not None
        # A small network hears no synthetic voices, whose language it is.
        given += ["--language", self.language] if self.language and not is_small else []
        given += [part for override in self.overrides if self.source for part in ("--set", override)]
        given += ["--small"] if is_small else []
        return given + (["--epochs", str(self.epochs)] if self.epochs else [])


class Training:
    """The trainings of one page: one at a time.

    Args:
        root: folder of runs.
    """

    def __init__(self, root: Path) -> None:
        self._root, self._job = root, Job("a training")

    def start(self, wanted: Wanted, *, name: str) -> Path:
        """Begin; gives the run's folder.

        Raises:
            RunError: a training is running.
        """
        return self._job.start(
            lambda: free_path(self._root, name), lambda run: ["train", *wanted.arguments, "--out", str(run)]
        )

    def resume(self, run: Path) -> None:
        """Go on with a run that was stopped.

        Raises:
            RunError: a training is running.
        """
        self._job.start(lambda: run, lambda run: ["train", "--resume", str(run)])

    def cancel(self) -> None:
        """Stop as Ctrl-C does: what is done so far is kept. Nothing happens where nothing is running."""
        self._job.cancel()

    def close(self) -> None:
        """Cancel, and wait until it has ended."""
        self._job.close()

    def state(self) -> dict[str, Any]:
        """As `Job.state`, the run's name as `run`, and `parts`: loss and accuracy by epoch."""
        facts, out = self._job.state(), self._job.out
        return facts | ({"run": facts.pop("name"), "parts": _progress(out)} if out else {})

    def running_name(self) -> str | None:
        """Name of the run that is trained now."""
        return self._job.running_name()


def _progress(run: Path) -> list[dict[str, Any]]:
    """Loss and accuracy by epoch, of each training in the run: one for each speaker left out, and the whole."""
    folder = RunFolder(run)
    parts: list[dict[str, Any]] = []
    for part in (*folder.folds, folder):
        with suppress(RunError, OSError):
            if rows := read_log(part.log):
                epochs = [
                    {"epoch": row.epoch, "set": row.set, "loss": _finite(row.loss), "accuracy": _finite(row.accuracy)}
                    for row in rows
                ]
                parts.append({"fold": part.path.name if part is not folder else "", "epochs": epochs})
    return parts


def _finite(value: float) -> float | None:
    """None for what JSON cannot say, as the loss of a training that went astray."""
    return value if math.isfinite(value) else None
