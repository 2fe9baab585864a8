"""Clips that were marked in a page, in the folder of the recordings at once; the next training takes them."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.config.overrides import set_text
from sayso.data.listed_clips import ListedClips
from sayso.data.marks import Mark, read_marks, write_marks
from sayso.errors import Fault, SettingsError
from sayso.runs.folder import RunFolder
from sayso.runs.predictions import read_predictions
from sayso.system.claims import locked_file

__all__ = ["MarkedPage", "Marks", "report_page"]

_LOCK = ".sayso-marks-lock"
_Key = tuple[str, float | None]


@dataclass(frozen=True)
class MarkedPage:
    """A page whose clips can be marked."""

    listed: ListedClips
    noun: str = "page"
    lists: str = "lists"
    """How its clips came into it: on a clip that this page lists."""


def report_page(run: RunFolder) -> MarkedPage:
    """Give the report of a run, which lists the clips that it tested.

    Raises:
        RunError: the run has no predictions.
    """
    read = read_predictions(run.predictions_file)
    keys = ((each.clip, float(each.start_seconds) if each.start_seconds else None) for each in read.clips)
    return MarkedPage(ListedClips(dict.fromkeys(keys, "test"), read.labels), "run", "tested")


class Marks:
    """The marks of one folder of recordings; every question looks at the disk, so that what others mark is seen.

    Args:
        folder: of the recordings.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(os.path.abspath(folder))  # noqa: PTH100 - without .., and links as they are

    @property
    def path(self) -> Path:
        """The table."""
        return self._folder / "marks.csv"

    def of_page(self, page: MarkedPage) -> list[dict[str, Any]]:
        """The marks on clips that a page lists, in plain values, each clip as the page names it.

        Raises:
            DataError: the table is damaged.
        """
        return [
            {"clip": clip, "start_seconds": start, "mark": mark.mark, "label": mark.label}
            for mark in read_marks(self.path)
            for clip, start in [self._key(mark)]
            if (clip, start) in page.listed.parts
        ]

    def write(self, page: MarkedPage, values: Any, *, before: Any = None) -> list[dict[str, Any]]:
        """Take these marks instead of those on clips of this page, and give what `of_page` does.

        Args:
            page: where they were made.
            values: all marks that the page has now, as it sends them.
            before: those that it was told last; what differs is what a person did there, and only that is changed, so
                that what another browser marked meanwhile stays. None: nothing was, and all are replaced.

        Raises:
            SettingsError: they are no marks, or on something else than recordings of this folder that the page lists.
            DataError: the table is damaged.
            OutputError: it cannot be written.
        """
        if not isinstance(values, list) or not isinstance(before, list | None):
            raise SettingsError([Fault("", "the request does not say its marks")])
        new = {self._key(mark): mark for mark in (self._read(value, page) for value in values)}
        with self._alone():
            there = {self._key(mark): mark for mark in read_marks(self.path)}
            known = {key: mark for key, mark in there.items() if key in page.listed.parts}
            told = known if before is None else {key: mark for each in before for key, mark in self._told(each, page)}
            changed = {key: mark for key, mark in new.items() if told.get(key) != mark}
            kept = {key: mark for key, mark in there.items() if key not in told or key in new} | changed
            if kept or self.path.exists():
                write_marks(self.path, kept.values())
        return self.of_page(page)

    def write_asked(self, page: MarkedPage, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Do so by what a page of the studio sends: `marks`, and `before` where it was told some."""
        return self.write(page, asked.get("marks"), before=asked.get("before"))

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

    def _told(self, value: Any, page: MarkedPage) -> list[tuple[_Key, Mark]]:
        """A mark that a page was told before; none where it has meanwhile become one that nobody can make."""
        try:
            mark = self._read(value, page)
        except SettingsError:
            return []
        return [(self._key(mark), mark)]

    def _read(self, value: Any, page: MarkedPage) -> Mark:
        listed = page.listed
        given = value if isinstance(value, dict) else {}
        clip, start, mark, label = (given.get(key) for key in ("clip", "start_seconds", "mark", "label"))
        if not isinstance(clip, str) or not isinstance(start, int | float | None) or (clip, start) not in listed.parts:
            where = f"a mark is on no clip that this {page.noun} {page.lists}; load the page again"
            raise SettingsError([Fault("", where)])
        if not clip.startswith(os.path.join(self._folder, "")):  # noqa: PTH118 - with a separator at its end
            raise SettingsError([Fault("", "only recordings of this folder can be marked; this clip is none of them")])
        within, part = str(Path(clip).relative_to(self._folder)), listed.parts[clip, start]
        if mark == "exclude":
            return Mark(within, start, "exclude", part=part)
        if mark != "relabel" or label not in listed.labels:
            raise SettingsError([Fault("", f"'{label}' is none of this {page.noun}'s words")])
        return Mark(within, start, "relabel", str(label), part)

    @contextmanager
    def _alone(self) -> Generator[None]:
        with locked_file(self._folder / _LOCK, waits=lambda: None):
            yield
