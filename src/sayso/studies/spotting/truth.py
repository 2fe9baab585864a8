"""What was said in long recordings: read from a table, or from label files as Audacity writes them."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sayso.data.clips import Clip
from sayso.data.datasets.folder.found import spelled
from sayso.data.datasets.folder.manifest import read_manifest
from sayso.errors import DataError
from sayso.metrics.detection import Stretch
from sayso.system.files import why_unread
from sayso.system.wording import counted, listed

__all__ = ["Recording", "Truth", "read_truth"]

# Tables round to hundredths of a second.
_SLACK_SECONDS = 0.05
_LONGEST_WORD_SECONDS = 15.0
_SHOWN_FAULTS = 5
_LABEL_FILE = ".txt"
_LINE = "a line of a label file is start TAB end TAB label, in seconds"


@dataclass(frozen=True)
class Recording:
    """A file that is listened to."""

    path: str
    """As it is shown."""
    below: str
    """From the folder that was named, or the file's name alone."""
    seconds: float
    """Its length."""


@dataclass(frozen=True)
class Truth:
    """What was said, and what a person should know of how it was read."""

    stretches: Mapping[str, tuple[Stretch, ...]]
    """By the path of each recording, in order of time; none in some."""
    notes: tuple[str, ...]


def read_truth(
    source: Path, recordings: Sequence[Recording], words: Sequence[str], *, ignore_unknown: bool = False
) -> Truth:
    """Read what was said in some recordings.

    Args:
        source: a table (CSV, TSV or JSONL, a line a word with path, label, start, end), read as manifests are; or one
            label file of Audacity (start, end and label, divided by tabs) where there is one recording; or a folder of
            such, `a.txt` for `a.wav`, at the same place below it or directly in it.
        recordings: what is listened to.
        words: those of the model.
        ignore_unknown: labels that are none of them are other speech; else they are refused.

    Raises:
        DataError: it cannot be read, or does not fit recordings or words; says all that does not.
    """
    if not source.exists():
        raise DataError(f"{source}: no such file or folder")
    by_table = not source.is_dir() and source.suffix.lower() != _LABEL_FILE
    found, notes = _from_table(source, recordings) if by_table else (_from_labels(source, recordings), [])
    found, late = _within_files(source, found, recordings)
    unknown = Counter(one.label for some in found.values() for one in some if one.label not in words)
    if unknown and not ignore_unknown:
        names = listed([f"'{label}' ({count})" for label, count in unknown.most_common()], _SHOWN_FAULTS)
        mend = "correct them, or give --ignore-unknown where they are other speech"
        raise DataError(f"{source}: labels that are no words of the model: {names}; it has {', '.join(words)}: {mend}")
    if unknown:
        notes.append(
            f"{counted(unknown.total(), 'label is no word', 'labels are no words')} of the model: other speech"
        )
    quiet = [one for one in recordings if not found[one.path]]
    if by_table and quiet and len(quiet) < len(recordings):
        notes.append(
            f"{source} has nothing of {counted(len(quiet), 'recording')}, such as {quiet[0].path}: "
            "every detection there is a false alarm"
        )
    return Truth(found, (*notes, *late, *_long_ones(found, words)))


def _from_table(source: Path, recordings: Sequence[Recording]) -> tuple[dict[str, list[Stretch]], list[str]]:
    table = read_manifest(source)
    places = {os.path.realpath(one.path): one for one in recordings}
    found: dict[str, list[Stretch]] = {one.path: [] for one in recordings}
    others: list[str] = []
    bad: list[str] = []
    for clip in table.clips:
        recording = places.get(os.path.realpath(clip.path))
        if recording is None and not Path(clip.path).is_file():
            bad.append(f"{clip.path}: no such file")
        elif recording is None:
            others.append(clip.path)
        elif clip.end_seconds is None:
            bad.append(f"{clip.path}: does not say where '{clip.label}' ends; name columns path, label, start, end")
        else:
            found[recording.path].append(_stretch(clip, clip.end_seconds))
    _refuse(source, dict.fromkeys(bad))
    if len(others) == len(table.clips) and table.clips:
        raise DataError(f"{source}: names none of the recordings; the first it names is {others[0]}")
    notes = list(table.notes)
    if others:
        notes.append(f"{source}: {counted(len(others), 'line is', 'lines are')} of other files, such as {others[0]}")
    return found, notes


def _stretch(clip: Clip, end: float) -> Stretch:
    return Stretch(clip.label, clip.start_seconds or 0.0, end)


def _from_labels(source: Path, recordings: Sequence[Recording]) -> dict[str, list[Stretch]]:
    if not source.is_dir() and len(recordings) > 1:
        raise DataError(
            f"{source}: labels of one recording, and {len(recordings)} are listened to; give the folder of their label "
            "files, or a table with path, label, start, end"
        )
    found: dict[str, list[Stretch]] = {}
    bad: list[str] = []
    for recording in recordings:
        path = _label_file(source, recording) if source.is_dir() else source
        if path is None:
            wanted = Path(recording.below).with_suffix(_LABEL_FILE)
            bad.append(f"no {wanted} for {recording.path} (an empty one says that no word is in it)")
            continue
        wrong: list[str] = []
        found[recording.path] = list(_read_labels(path, wrong))
        bad += wrong if path == source else [f"{path.name}: {each}" for each in wrong]
    _refuse(source, bad)
    return found


def _label_file(folder: Path, recording: Recording) -> Path | None:
    below = Path(recording.below).with_suffix(_LABEL_FILE)
    return next((path for path in (folder / below, folder / below.name) if path.is_file()), None)


def _read_labels(path: Path, bad: list[str]) -> Iterator[Stretch]:
    """Yield the stretches of a label file; what is wrong with lines goes to `bad`."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path}: {why_unread(error, f'cannot be read as a label file in UTF-8 ({error})')}") from error
    for number, line in enumerate(lines, start=1):
        # A line that begins with a backslash holds the frequencies of the label above.
        if not line.strip() or line.startswith("\\"):
            continue
        cells = line.split("\t")
        times = [_seconds(cell) for cell in cells[:2]]
        label = spelled("\t".join(cells[2:]))
        if len(cells) >= 3 and None in times:
            wrong = cells[times.index(None)]
            bad.append(f"line {number}: '{wrong.strip()}' is no time, must be seconds from 0, such as 1.5")
            continue
        if len(cells) < 3 or not label:
            bad.append(f"line {number}: '{line.strip()}'; {_LINE}")
            continue
        start, end = (time or 0.0 for time in times)
        if end < start:
            bad.append(f"line {number}: ends at {end:g} s, before its start at {start:g} s")
            continue
        yield Stretch(label, start, end)


def _seconds(cell: str) -> float | None:
    try:
        seconds = float(cell)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _within_files(
    source: Path, found: Mapping[str, Sequence[Stretch]], recordings: Sequence[Recording]
) -> tuple[dict[str, tuple[Stretch, ...]], list[str]]:
    """Refuse what begins behind a recording's end, and end what ends behind it there; gives notes of the latter."""
    kept: dict[str, tuple[Stretch, ...]] = {}
    bad: list[str] = []
    late: list[str] = []
    for one in recordings:
        for stretch in found[one.path]:
            said = f"{one.path}: '{stretch.label}' at {stretch.start:g} to {stretch.end:g} s"
            if stretch.start >= one.seconds:
                bad.append(f"{said} is behind the end at {one.seconds:.4g} s; are the times in seconds?")
            elif stretch.end > one.seconds + _SLACK_SECONDS:
                late.append(f"{said} ends behind the end at {one.seconds:.4g} s, which counts")
        ordered = sorted(found[one.path], key=lambda stretch: stretch.start)
        kept[one.path] = tuple(Stretch(each.label, each.start, min(each.end, one.seconds)) for each in ordered)
    _refuse(source, bad)
    return kept, [listed(late, 1, count_rest=True)] if late else []


def _long_ones(found: Mapping[str, Sequence[Stretch]], words: Sequence[str]) -> Iterator[str]:
    """Yield a note where a word lasts so long that it may be the length of its file that was given."""
    ones = [
        (path, one)
        for path, some in found.items()
        for one in some
        if one.label in words and one.end - one.start > _LONGEST_WORD_SECONDS
    ]
    if ones:
        path, one = ones[0]
        yield (
            f"{counted(len(ones), 'word lasts', 'words last')} more than {_LONGEST_WORD_SECONDS:g} s, such as "
            f"'{one.label}' at {one.start:g} to {one.end:g} s in {path}: a detection anywhere in it counts as right; "
            "is that where the word is, or the length of the file?"
        )


def _refuse(source: Path, bad: "Sequence[str] | dict[str, None]") -> None:
    if bad:
        raise DataError(f"{source}: {listed(list(bad), _SHOWN_FAULTS, between='; ', count_rest=True)}")
