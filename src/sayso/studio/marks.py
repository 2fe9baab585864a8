"""Clips that were marked in a run's report, in the folder of the recordings at once; the next training takes them."""

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sayso.config.overrides import set_text
from sayso.data.marks import Mark, read_marks, write_marks
from sayso.errors import Fault, SettingsError
from sayso.runs.folder import RunFolder
from sayso.runs.predictions import Predictions, read_predictions
from sayso.system.claims import locked_file

__all__ = ["Marks"]

_LOCK = ".sayso-marks-lock"
_Key = tuple[str, float | None]


class Marks:
    """The marks of one folder of recordings; every question looks at the disk, so that what others mark is seen.

    Args:
        folder: of the recordings.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    @property
    def path(self) -> Path:
        """The table."""
        return self._folder / "marks.csv"

    def of_run(self, run: RunFolder) -> list[dict[str, Any]]:
        """The marks on clips that a run tested, in plain values, each clip as the run names it.

        Raises:
            RunError: the run has no predictions.
            DataError: the table is damaged.
        """
        tested = _tested(read_predictions(run.predictions_file))
        return [
            {"clip": clip, "start_seconds": start, "mark": mark.mark, "label": mark.label}
            for mark in read_marks(self.path)
            for clip, start in [self._key(mark)]
            if (clip, start) in tested
        ]

    def write(self, run: RunFolder, values: Any) -> list[dict[str, Any]]:
        """Take these marks instead of all that are on clips of this run, and give what `of_run` does.

        Raises:
            SettingsError: they are no marks, or on something else than recordings of this folder that the run tested.
            RunError: the run has no predictions.
            DataError: the table is damaged.
            OutputError: it cannot be written.
        """
        read = read_predictions(run.predictions_file)
        tested = _tested(read)
        if not isinstance(values, list):
            raise SettingsError([Fault("", "the request does not say its marks")])
        new = [self._read(value, tested, read.labels) for value in values]
        with self._alone():
            others = [mark for mark in read_marks(self.path) if self._key(mark) not in tested]
            if others or new or self.path.exists():
                write_marks(self.path, [*others, *new])
        return self.of_run(run)

    def overrides(self) -> list[str]:
        """What a training is told besides; marks on clips that are gone are dropped first.

        Raises:
            DataError: the table is damaged.
            OutputError: it cannot be written.
        """
        with self._alone():
            marks = read_marks(self.path)
            there = [mark for mark in marks if Path(self._key(mark)[0]).is_file()]
            if len(there) < len(marks):
                write_marks(self.path, there)
        kinds = {mark.mark for mark in there}
        return [set_text(f"dataset.{kind}", str(self.path)) for kind in sorted(kinds)]

    def _key(self, mark: Mark) -> _Key:
        return str(self._folder / mark.clip), mark.start_seconds

    def _read(self, value: Any, tested: set[_Key], labels: Sequence[str]) -> Mark:
        given = value if isinstance(value, dict) else {}
        clip, start, mark, label = (given.get(key) for key in ("clip", "start_seconds", "mark", "label"))
        if not isinstance(clip, str) or not isinstance(start, int | float | None) or (clip, start) not in tested:
            raise SettingsError([Fault("", "a mark is on no clip that this run tested; load the report again")])
        if not clip.startswith(os.path.join(self._folder, "")):  # noqa: PTH118 - with a separator at its end
            raise SettingsError([Fault("", "only recordings of this folder can be marked; this clip is none of them")])
        within = str(Path(clip).relative_to(self._folder))
        if mark == "exclude":
            return Mark(within, start, "exclude")
        if mark != "relabel" or label not in labels:
            raise SettingsError([Fault("", f"'{label}' is none of this run's words")])
        return Mark(within, start, "relabel", str(label))

    @contextmanager
    def _alone(self) -> Generator[None]:
        with locked_file(self._folder / _LOCK, waits=lambda: None):
            yield


def _tested(read: Predictions) -> set[_Key]:
    return {(each.clip, float(each.start_seconds) if each.start_seconds else None) for each in read.clips}
