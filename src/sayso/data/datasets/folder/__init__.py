"""A person's own recordings: a folder with one sub-folder a word, or a manifest in CSV or JSON lines."""

import os
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sayso.data.clips import Clip, Listing
from sayso.data.datasets import DATASETS, DatasetConfig
from sayso.data.datasets.folder.found import NONE_FOLDER, Found, is_sound, note_media, spelled
from sayso.data.datasets.folder.kaldi import is_kaldi_folder, read_kaldi_folder
from sayso.data.datasets.folder.manifest import read_manifest
from sayso.data.datasets.folder.tree import walk
from sayso.errors import DataError, Fault
from sayso.system.files import expand_home
from sayso.system.progress import Progress
from sayso.system.wording import counted, listed, path_tail

__all__ = ["FolderConfig", "none_of_these"]

_NAME_AND_NUMBER = r"(?P<speaker>[^/]+?)[-_ ]*\d+\.\w+$"
_SHOWN_NAMES = 3


@DATASETS.register("folder")
@dataclass(frozen=True, kw_only=True)
class FolderConfig(DatasetConfig):
    """Own recordings: folder/<word>/*.wav, or a CSV or JSONL manifest."""

    path: str
    """A folder with one sub-folder a word (in it sound files, or one folder a speaker), also in parts; a manifest,
    .csv, .tsv or .jsonl, with the columns path, label and optionally speaker, split, start and end (in seconds;
    start_ms and the like in other units), or those that NeMo and Hugging Face write; or a data folder of Kaldi's.
    Clips in a sub-folder _training_only_, by word, or with split "training only" in a manifest, train and never
    validate or test; those in _none_of_these_ say no word, and are for rejection.negatives."""
    speaker: Literal["auto", "none", "folder", "pattern"] = "auto"
    """Where speakers come from: auto (the manifest's column, the sub-folder, or names like anna_nohash_0.wav), none,
    folder (that next to the file), or pattern."""
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
            if self.speaker_pattern and "speaker" not in _compile(self.speaker_pattern).groupindex:
                yield Fault("speaker_pattern", "has no group named speaker; write (?P<speaker>...)")
        except ValueError as error:
            yield Fault("speaker_pattern", f"is no regular expression: {error}")

    @property
    def known_as(self) -> str:
        """The folder or manifest."""
        return self.path

    def anchor(self) -> "DatasetConfig":
        """The same with absolute paths."""
        return replace(super().anchor(), path=str(self._path()))

    def location(self) -> Path | None:
        """Give the folder or manifest, when it is there."""
        path = self._path()
        return path if path.exists() else None

    def listing(self, progress: Progress) -> Listing:
        """List the clips; only manifests and lists are opened, and where rows say times the headers of their files.

        Raises:
            DataError: nothing usable is there; the message says how to mend it.
        """
        del progress
        path = self._path()
        if not path.exists():
            raise DataError(f"{path}: no such folder or manifest; check the path, which is dataset.path in a recipe")
        found = _find(path, self._rule())
        clips, beside = _with_known_words(self._with_speakers(found))
        media = note_media((*(clip.path for clip in clips), *found.noise))
        notes = [*found.notes, *media, *_word_notes(clips), *_speaker_notes(clips, found.root, self._rule()), *beside]
        notes += _none_notes(found.none, _none_folder(path))
        return Listing(tuple(clips), tuple(found.noise), tuple(notes))

    def _path(self) -> Path:
        # Absolute, so that the packed corpus is found again from another working folder.
        return Path(os.path.abspath(expand_home(self.path)))  # noqa: PTH100 - links stay as they are

    def _rule(self) -> str:
        return "pattern" if self.speaker_pattern else self.speaker

    def _with_speakers(self, found: Found) -> list[Clip]:
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
            return [replace(clip, speaker=spelled(Path(clip.path).parent.name)) for clip in found.clips]
        pattern = _compile(self.speaker_pattern)
        return [replace(clip, speaker=_from_pattern(pattern, clip.path, found.root)) for clip in found.clips]


def none_of_these(source: Path) -> DatasetConfig | None:
    """Give the clips beside a folder's words, or beside a manifest, that say none of them; None where there are none.

    Args:
        source: the folder or manifest.
    """
    folder = _none_folder(source)
    if not folder.is_dir() or not any(is_sound(name) for _, _, names in os.walk(folder) for name in names):
        return None
    return FolderConfig(path=str(folder))


def _none_folder(source: Path) -> Path:
    return (source if source.is_dir() else source.parent) / NONE_FOLDER


def _none_notes(paths: Sequence[str], folder: Path) -> Iterator[str]:
    """Say which clips that say none of the words lie where nobody finds them."""
    lost = [path for path in paths if not Path(path).is_relative_to(folder)]
    if lost:
        clips = counted(len(lost), f"clip of {NONE_FOLDER} is", f"clips of {NONE_FOLDER} are")
        yield f"{clips} left out, such as {path_tail(lost[0])}: those in {folder} train as none of the words"


def _with_known_words(clips: Sequence[Clip]) -> tuple[list[Clip], list[str]]:
    """Leave out what would only train of words that no other clip says; and say how much only trains."""
    words = {clip.label for clip in clips if not clip.keeps_part}
    kept = [clip for clip in clips if clip.label in words]
    notes: list[str] = []
    if only := sum(clip.keeps_part for clip in kept):
        notes.append(f"{counted(only, 'clip')} of {len(kept):,} only train: none of them validates or is tested")
    if left := [clip.label for clip in clips if clip.label not in words]:
        names = ", ".join(f"'{word}'" for word in sorted(set(left)))
        notes.append(f"{counted(len(left), 'clip')} that would only train left out: nothing else says {names}")
    return kept, notes


def _compile(pattern: str) -> re.Pattern[str]:
    """Read a regular expression, without Python's remarks on it; what is none raises ValueError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _find(path: Path, speaker: str) -> Found:
    if is_kaldi_folder(path):
        return read_kaldi_folder(path)
    return walk(str(path), speaker=speaker) if path.is_dir() else read_manifest(path)


def _from_name(path: str) -> str | None:
    speaker, mark, _ = path.rpartition(os.sep)[2].partition("_nohash_")
    return spelled(speaker) if mark and speaker else None


def _from_pattern(pattern: re.Pattern[str], path: str, root: str) -> str | None:
    match = pattern.search(os.path.relpath(path, root).replace(os.sep, "/"))
    return spelled(match["speaker"]) or None if match and match["speaker"] else None


def _word_notes(clips: Sequence[Clip]) -> Iterator[str]:
    """Yield a note about words that may be one: only case, spaces, hyphens or underscores tell them apart."""
    spellings = defaultdict[str, list[str]](list)
    for word, count in sorted(Counter(clip.label for clip in clips).items()):
        spellings[re.sub(r"[\s_-]+", "", word.casefold())].append(f"'{word}' ({counted(count, 'clip')})")
    if alike := [" and ".join(words) for words in spellings.values() if len(words) > 1]:
        yield f"words that differ only in case, spaces or hyphens are taken for different ones: {'; '.join(alike)}"


def _names_note(clips: Sequence[Clip]) -> Iterator[str]:
    """Yield a note where files of several words begin with the same names: yes/anna-1.wav, no/anna-1.wav, ..."""
    pattern = _compile(_NAME_AND_NUMBER)
    found = [(clip, pattern.search(Path(clip.path).name)) for clip in clips]
    said: dict[str, set[str]] = defaultdict(set)
    for clip, match in found:
        if match:
            said[match["speaker"]].add(clip.label)
    names = sorted(name for name, words in said.items() if len(words) > 1)
    if len(names) > 1 and len(names) == len(said) and all(match for _, match in found):
        yield (
            f"files are named as if they told who speaks ({listed(names, _SHOWN_NAMES)}), such as "
            f"{Path(clips[0].path).name}: nobody is kept apart by that unless you say so, by "
            f"--set dataset.speaker_pattern='{_NAME_AND_NUMBER}'"
        )


def _speaker_notes(clips: Sequence[Clip], root: str, rule: str) -> Iterator[str]:
    unnamed = [clip for clip in clips if clip.speaker is None]
    if rule == "auto" and len(unnamed) == len(clips):
        yield from _names_note(clips)
        return
    if not unnamed or rule == "none":
        return
    example = os.path.relpath(unnamed[0].path, root)
    some = f"{len(unnamed)} of {counted(len(clips), 'clip')}"
    yield f"no speaker is known for {some}, such as {example} (dataset.speaker: {rule})"
