"""A person's own recordings: a folder with one sub-folder a word, or a manifest in CSV or JSON lines."""

import csv
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from unicodedata import normalize

from sayso.config.schema import did_you_mean
from sayso.data.clips import Clip, Listing, PartName
from sayso.data.datasets import DATASETS, DatasetConfig
from sayso.errors import DataError, Fault
from sayso.system.files import expand_home
from sayso.system.progress import Progress
from sayso.system.wording import counted, listed

__all__ = ["FolderConfig"]

NOISE_FOLDER = "_background_noise_"
# What libsndfile reads without being told more, by the endings in use.
EXTENSIONS = frozenset(
    (
        *("wav", "wave", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "aifc", "au", "snd", "w64", "rf64"),
        *("voc", "sph", "caf", "nist", "avr", "htk", "ircam", "paf", "pvf", "svx"),  # codespell:ignore caf
    )
)
LISTS: dict[str, PartName] = {"testing_list.txt": "test", "validation_list.txt": "validation"}
PART_NAMES: dict[str, PartName] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
COLUMNS = ("path", "label", "speaker", "split", "start", "end")
NEEDED = ("path", "label")
SHOWN_FAULTS = 5
LINES = "write one clip a line, with its path and its label (in CSV below a first line that names the columns)"
ARRANGE = "put sound files into one folder a word, such as my-clips/yes/1.wav"


@DATASETS.register("folder")
@dataclass(frozen=True, kw_only=True)
class FolderConfig(DatasetConfig):
    """Own recordings: folder/<word>/*.wav, or a CSV or JSONL manifest."""

    path: str
    """A folder with one sub-folder a word (in it sound files, or one folder a speaker), or a manifest, .csv, .tsv or
    .jsonl, with the columns path, label and optionally speaker, split, start and end (in seconds)."""
    speaker: Literal["auto", "none", "folder", "pattern"] = "auto"
    """Where speakers come from: auto (the manifest's column, the sub-folder, or names like anna_nohash_0.wav), none,
    folder (the folder next to the file), or pattern."""
    speaker_pattern: str = ""
    r"""Regular expression with a group named speaker, searched in the file's path below the folder, such as
    (?P<speaker>\w+)-\d+\.wav; used with speaker auto and pattern."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where the path is empty, or the pattern is missing, without effect or not usable."""
        if not self.path:
            yield Fault("path", "is empty, must be a folder or a manifest")
        if self.speaker == "pattern" and not self.speaker_pattern:
            yield Fault("speaker_pattern", "is missing; with speaker: pattern it must be a regular expression")
        if self.speaker_pattern and self.speaker in ("none", "folder"):
            yield Fault("speaker_pattern", f"has no effect with speaker: {self.speaker}; use speaker: pattern")
        try:
            if self.speaker_pattern and "speaker" not in re.compile(self.speaker_pattern).groupindex:
                yield Fault("speaker_pattern", "has no group named speaker; write (?P<speaker>...)")
        except re.error as error:
            yield Fault("speaker_pattern", f"is no regular expression: {error}")

    def anchor(self) -> "DatasetConfig":
        """The same with absolute paths."""
        return replace(super().anchor(), path=str(self._path()))

    def location(self) -> Path | None:
        """Give the folder or manifest, when it is there."""
        path = self._path()
        return path if path.exists() else None

    def listing(self, progress: Progress) -> Listing:
        """List the clips; nothing is opened but a manifest or lists.

        Raises:
            DataError: nothing usable is there; the message says how to mend it.
        """
        del progress
        path = self._path()
        if not path.exists():
            raise DataError(f"{path}: no such folder or manifest; check dataset.path")
        found = _walk(str(path)) if path.is_dir() else _read_manifest(path)
        clips = self._with_speakers(found)
        notes = [*found.notes, *_speaker_notes(clips, found.root, self._rule())]
        return Listing(tuple(clips), tuple(found.noise), tuple(notes))

    def _path(self) -> Path:
        # Absolute, so that the packed corpus is found again from another working folder.
        return Path(os.path.abspath(expand_home(self.path)))  # noqa: PTH100 - links stay as they are

    def _rule(self) -> str:
        return "pattern" if self.speaker_pattern else self.speaker

    def _with_speakers(self, found: "_Found") -> list[Clip]:
        rule = self._rule()
        if rule == "auto" and found.manifest:
            return found.clips
        if rule == "auto":
            return [clip if clip.speaker else replace(clip, speaker=_from_name(clip.path)) for clip in found.clips]
        if rule == "none":
            return [replace(clip, speaker=None) for clip in found.clips]
        if rule == "folder" and not found.manifest:
            return found.clips
        if rule == "folder":
            return [replace(clip, speaker=_text(Path(clip.path).parent.name)) for clip in found.clips]
        pattern = re.compile(self.speaker_pattern)
        return [replace(clip, speaker=_from_pattern(pattern, clip.path, found.root)) for clip in found.clips]


@dataclass
class _Found:
    """What a folder or manifest offers, in order."""

    root: str
    manifest: bool = False
    clips: list[Clip] = field(default_factory=list[Clip])
    noise: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])


def _text(value: str) -> str:
    """Spell a name in one way: an é is the same whether a file system writes it as one sign or as two."""
    return normalize("NFC", value).strip()


def _from_name(path: str) -> str | None:
    speaker, mark, _ = path.rpartition(os.sep)[2].partition("_nohash_")
    return _text(speaker) if mark and speaker else None


def _from_pattern(pattern: re.Pattern[str], path: str, root: str) -> str | None:
    match = pattern.search(os.path.relpath(path, root).replace(os.sep, "/"))
    return _text(match["speaker"]) or None if match and match["speaker"] else None


def _speaker_notes(clips: Sequence[Clip], root: str, rule: str) -> Iterator[str]:
    unnamed = [clip for clip in clips if clip.speaker is None]
    if not unnamed or rule == "none" or (rule == "auto" and len(unnamed) == len(clips)):
        return
    example = os.path.relpath(unnamed[0].path, root)
    some = f"{len(unnamed)} of {counted(len(clips), 'clip')}"
    yield f"no speaker is known for {some}, such as {example} (dataset.speaker: {rule})"


def _is_sound(name: str) -> bool:
    return name.rpartition(".")[2].lower() in EXTENSIONS and "." in name


def _entries(folder: str) -> tuple[list[str], list[str]]:
    """List the names of the sub-folders and of the files in a folder, hidden ones left out, in order."""
    try:
        with os.scandir(folder) as entries:
            both = sorted((entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror}); check its permissions") from error
    return [name for name, is_folder in both if is_folder], [name for name, is_folder in both if not is_folder]


def _walk(root: str) -> _Found:
    found = _Found(root)
    words, files = _entries(root)
    noise = [word for word in words if word == NOISE_FOLDER]
    words = [word for word in words if word != NOISE_FOLDER]
    _check_arrangement(root, words, files)
    strange: Counter[str] = Counter()
    for word in words:
        found.clips += _word_clips(root, word, strange)
    for folder in noise:
        _, names = _entries(f"{root}{os.sep}{folder}")
        found.noise += [f"{root}{os.sep}{folder}{os.sep}{name}" for name in names if _is_sound(name)]
    if not found.clips:
        raise DataError(f"{root}: no sound files in its folders; {ARRANGE}")
    filled = {clip.path[len(root) + 1 :].partition(os.sep)[0] for clip in found.clips}
    if empty := [word for word in words if word not in filled]:
        found.notes.append(f"no sound files in: {', '.join(empty)}; these are not words then")
    if loose := sum(_is_sound(name) for name in files):
        found.notes.append(f"{counted(loose, 'sound file lies', 'sound files lie')} beside the word folders: left out")
    if strange:
        kinds = ", ".join(f"{count} {kind}" for kind, count in strange.most_common(5))
        found.notes.append(f"left out, not known as sound or too deep: {kinds}")
    found.clips = _official_parts(root, found)
    return found


def _check_arrangement(root: str, words: Sequence[str], files: Sequence[str]) -> None:
    if not words and any(_is_sound(name) for name in files):
        raise DataError(f"{root}: its sound files lie directly in it, so their words are unknown; {ARRANGE}")
    if not words:
        raise DataError(f"{root}: an empty folder; {ARRANGE}")
    if all(word.lower() in PART_NAMES for word in words):
        raise DataError(
            f"{root}: its folders {', '.join(words)} look like parts, not words; {ARRANGE}, and name the parts in "
            f"{' and '.join(LISTS)} or in a manifest's split column"
        )


def _word_clips(root: str, word: str, strange: Counter[str]) -> Iterator[Clip]:
    label = _text(word)
    base = f"{root}{os.sep}{word}"
    folders, files = _entries(base)
    groups: list[tuple[str, str | None, list[str]]] = [(base, None, files)]
    for speaker in folders:
        deeper, names = _entries(f"{base}{os.sep}{speaker}")
        if deeper:
            strange["folders"] += len(deeper)
        groups.append((f"{base}{os.sep}{speaker}", _text(speaker), names))
    for folder, speaker, names in groups:
        for name in names:
            if _is_sound(name):
                yield Clip(f"{folder}{os.sep}{name}", label, speaker)
            else:
                strange[f".{name.rpartition('.')[2]}" if "." in name else name] += 1


def _official_parts(root: str, found: _Found) -> list[Clip]:
    parts: dict[str, PartName] = {}
    for name, part in LISTS.items():
        path = Path(root, name)
        if path.is_file():
            lines = (
                _text(line) for line in path.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
            )
            parts |= {line.rpartition(".")[0]: part for line in lines if line}
    if not parts:
        return found.clips
    keys = [_text(clip.path[len(root) + 1 :].replace(os.sep, "/")).rpartition(".")[0] for clip in found.clips]
    here = sum(key in parts for key in keys)
    found.notes.append(f"{' and '.join(LISTS)} name {counted(len(parts), 'clip')}; here of them: {here:,}")
    return [replace(clip, part=parts.get(key, "train")) for clip, key in zip(found.clips, keys, strict=True)]


def _read_manifest(path: Path) -> _Found:
    rows = _rows(path)
    found = _Found(str(path.parent), manifest=True)
    bad: list[str] = []
    for line, row in rows:
        clip, faults = _row_clip(row, found.root)
        bad += [f"line {line}: {fault}" for fault in faults]
        if clip is not None and clip.label == NOISE_FOLDER:
            found.noise.append(clip.path)
        elif clip is not None:
            found.clips.append(clip)
    if bad:
        raise DataError(f"{path}: {listed(bad, SHOWN_FAULTS, between='; ', count_rest=True)}")
    if not found.clips:
        raise DataError(f"{path}: names no clips; {LINES}")
    if unused := {name for _, row in rows for name in row} - set(COLUMNS):
        found.notes.append(f"columns of {path.name} that are not used: {', '.join(sorted(map(str, unused)))}")
    return found


def _rows(path: Path) -> list[tuple[int, Any]]:
    """Give every row of a manifest with its line number."""
    readers: dict[str, Callable[[Path], Iterator[tuple[int, Any]]]] = {
        ".csv": _csv_rows,
        ".tsv": _csv_rows,
        ".jsonl": _json_rows,
        ".ndjson": _json_rows,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: is neither a folder nor a manifest; a manifest ends in {', '.join(readers)}")
    try:
        if not path.read_text(encoding="utf-8-sig").strip():
            raise DataError(f"{path}: an empty manifest; {LINES}")
        return list(reader(path))
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path}: cannot be read as a manifest in UTF-8 ({error})") from error


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        header = [name.strip().lower() for name in next(reader, [])]
        if lacking := [name for name in NEEDED if name not in header]:
            there = ", ".join(header) or "none"
            raise DataError(f"{path}: has no column {' and no column '.join(lacking)}; its first line names {there}")
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, dict(zip(header, cells, strict=False))


def _json_rows(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    yield number, json.loads(line)
                except json.JSONDecodeError:
                    yield number, None


def _row_clip(row: Any, root: str) -> tuple[Clip | None, list[str]]:
    """Make a clip of one row, or give what is wrong with it."""
    if not isinstance(row, Mapping):
        return None, ['is no JSON object, such as {"path": "a.wav", "label": "yes"}']
    cells: defaultdict[str, str] = defaultdict(str)
    cells |= {name: _text(str(value)) for name, value in row.items() if name in COLUMNS and value is not None}
    faults = [f"{name} is missing" for name in NEEDED if not cells[name]]
    faults += [f"{name} holds characters that no name can have" for name in NEEDED if not _writable(cells[name])]
    split = cells["split"].lower()
    if split and split not in PART_NAMES:
        near = did_you_mean(split, ("train", "validation", "test"))
        faults.append(f"unknown split '{cells['split']}'; {near}")
    seconds = {name: _seconds(cells[name], name, faults) for name in ("start", "end")}
    start, end = seconds["start"], seconds["end"]
    if end is not None and end <= (start or 0.0):
        faults.append(f"end is {end:g}, must be after the start")
    if faults:
        return None, faults
    # The path as written, not in NFC: the file system decides how it spells its names.
    path = os.path.normpath(os.path.join(root, expand_home(str(row["path"]).strip())))  # noqa: PTH118
    return Clip(path, cells["label"], cells["speaker"] or None, PART_NAMES.get(split), start, end), []


def _writable(text: str) -> bool:
    try:
        return "\0" not in text and bool(text.encode() or True)
    except UnicodeEncodeError:
        return False


def _seconds(cell: str, name: str, faults: list[str]) -> float | None:
    if not cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        value = -1.0
    if 0 <= value < float("inf"):
        return value
    faults.append(f"{name} is '{cell}', must be seconds from 0 upwards")
    return None
