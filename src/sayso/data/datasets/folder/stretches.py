"""Where clips lie in their recordings: times of a manifest in seconds, held against how long the files are."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sayso.audio import probe
from sayso.data.datasets.folder.columns import SIDES, Moment, Side
from sayso.errors import AudioError
from sayso.system.wording import counted

__all__ = ["Stretches"]

# Tables round to hundredths of a second, and the last frame of MP3 is padded.
_SLACK_SECONDS = 0.05
# An end so many times the length of its file is in milliseconds or samples, whatever its column says.
_SURELY_ANOTHER_UNIT = 10
_UNITS = "if these are milliseconds or samples, call the column start_ms, end_samples or the like"


@dataclass
class Stretches:
    """Reads the times of rows, and keeps account of those that lie behind the end of their files."""

    moments: Mapping[Side, Moment]
    """The columns that say start, end and duration."""
    late: list[str] = field(default_factory=list[str])
    """Rows whose end lies behind the file's."""
    _files: dict[str, tuple[float | None, int | None]] = field(default_factory=dict[str, Any])

    def read(self, path: str, values: Mapping[str, Any], faults: list[str]) -> tuple[float | None, float | None]:
        """Give start and end of a clip in seconds, None where the file's own counts; what does not fit to `faults`."""
        said = {side: self._number(side, values, faults) for side in self.moments}
        if faults or all(number is None for number in said.values()):
            return None, None
        length, rate = self._length_and_rate(path)
        start, end, duration = (self._seconds(said.get(side), side, rate) for side in SIDES)
        if duration is not None:
            told = (start or 0.0) + duration
            if end is not None and abs(end - told) > _SLACK_SECONDS:
                faults.append(f"end is {end:g} s, but start and duration make {told:g} s; take one of them out")
            whole = not start and length is not None and abs(duration - length) <= _SLACK_SECONDS
            end = end if end is not None else None if whole else told
        faults += self._misfits(start, end, length)
        if not faults and end is not None and length is not None and end > length + _SLACK_SECONDS:
            self.late.append(f"{path} ({end:g} s of {length:.4g} s)")
        return start, end

    def notes(self, shown: Callable[[str], str]) -> Iterator[str]:
        """Yield a note about ends that lie behind the end of the file; `shown` shortens the first one."""
        if self.late:
            rows = counted(len(self.late), "row ends", "rows end")
            yield f"{rows} behind the end of the file, whose own end counts, such as {shown(self.late[0])}"

    def _length_and_rate(self, path: str) -> tuple[float | None, int | None]:
        """Read a file's length in seconds and its rate from its header; of one that cannot be read, packing tells."""
        if path not in self._files:
            try:
                self._files[path] = probe(path)
            except AudioError:
                self._files[path] = None, None
        return self._files[path]

    def _number(self, side: Side, values: Mapping[str, Any], faults: list[str]) -> float | None:
        moment = self.moments[side]
        value = values.get(moment.name)
        cell = "" if value is None else str(value).strip()
        if not cell:
            return None
        try:
            number = float(cell)
        except ValueError:
            number = -1.0
        if 0 <= number < float("inf"):
            return number
        faults.append(f"{moment.name} is '{cell}', must be {moment.unit} from 0 upwards")
        return None

    def _seconds(self, number: float | None, side: Side, rate: int | None) -> float | None:
        if number is None:
            return None
        unit = self.moments[side].unit
        if unit == "samples":
            return number / rate if rate else None
        return number / 1000 if unit == "milliseconds" else number

    def _misfits(self, start: float | None, end: float | None, length: float | None) -> Iterator[str]:
        ends = self.moments.get("end") or self.moments.get("duration")
        if end is not None and ends and end <= (start or 0.0):
            yield f"{ends.name} is {end:g} s, must be after the start"
        if length is None:
            return
        if start is not None and start >= length:
            yield f"{self.moments['start'].name} is {start:g} s, behind the file's end at {length:.4g} s; {_UNITS}"
        elif end is not None and ends and end > _SURELY_ANOTHER_UNIT * length:
            yield f"{ends.name} gives an end at {end:g} s, and the file holds {length:.4g} s; {_UNITS}"
