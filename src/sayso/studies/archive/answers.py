"""What is asked of each file of an archive: the word in it, or where in it which words are."""

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.audio import SoundBlocks, clip_from_samples, probe, read_sound, tell_clip, to_float
from sayso.config.schema import dump, read
from sayso.errors import AudioError
from sayso.runtime import Detection, Recognizer, StreamSettings
from sayso.runtime.long_files import FileListener
from sayso.runtime.stream_file import STREAM_FILE
from sayso.system.files import file_digest

__all__ = ["Answered", "Answers", "Column", "DetectionAnswers", "WordAnswers", "answers_as_asked"]

_BATCH = 16
# Only files that may hold much sound are looked at before they are read.
_MAYBE_LONG_BYTES = 1 << 20
_LONGEST_SECONDS = 600.0


@dataclass(frozen=True)
class Column:
    """A column of the table."""

    name: str
    kind: type[str] | type[float]


@dataclass(frozen=True)
class Answered:
    """One file, and what was found of it."""

    file: str
    rows: tuple[tuple[Any, ...], ...]
    """A cell for each of the answers' columns; none where the file could not be used."""
    remark: str | None = None
    """What was done to its sound that a person should know."""
    error: str | None = None
    """Why it could not be used."""


class Answers(ABC):
    """Answers on files, so many at once; several threads may ask.

    Attributes:
        columns: of the table, beside the file.
        batch: how many files are answered together.
    """

    columns: tuple[Column, ...]
    batch: int

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._digest = file_digest(recognizer.path)

    @property
    def files(self) -> tuple[Path, ...]:
        """What answers are computed by: the model, first, and what is read beside it."""
        return (self._recognizer.path,)

    def asked(self) -> dict[str, Any]:
        """Say what the answers hang on, as values that JSON can hold; `answers_as_asked` makes the same ones of it."""
        return {"model_sha256": self._digest, "columns": [column.name for column in self.columns]}

    @abstractmethod
    def answer(self, paths: Sequence[str]) -> list[Answered]:
        """Answer on some files, at most `batch`, in their order; one that cannot be used is told so.

        Raises:
            ModelError: the model cannot be computed.
        """


class WordAnswers(Answers):
    """The word in each file, as `Recognizer.predict` names it.

    Args:
        recognizer: the model; of one thread where several ask.
        top: how many words to name, most probable first, at least 1.
        reject: say "none of these", an empty label, below the model's threshold.
    """

    batch = _BATCH

    def __init__(self, recognizer: Recognizer, *, top: int = 1, reject: bool = True) -> None:
        super().__init__(recognizer)
        self._top, self._reject = min(top, len(recognizer.labels)), reject
        pairs = [(f"label{end}", f"probability{end}") for end in ("", *(f"_{n + 1}" for n in range(1, self._top)))]
        self.columns = tuple(column for label, share in pairs for column in (Column(label, str), Column(share, float)))

    def asked(self) -> dict[str, Any]:
        """Say what the answers hang on, as values that JSON can hold."""
        return super().asked() | {"top": self._top, "reject": self._reject}

    def answer(self, paths: Sequence[str]) -> list[Answered]:
        """Answer on some files, as `Answers` says."""
        read = [self._read(path) for path in paths]
        clips = [clip for clip, _ in read if clip is not None]
        scores = iter(self._recognizer.probabilities(to_float(np.stack(clips))) if clips else ())
        return [
            told if clip is None else Answered(told.file, (self._row(next(scores)),), told.remark)
            for clip, told in read
        ]

    def _read(self, path: str) -> tuple[NDArray[np.int16] | None, Answered]:
        try:
            before = _stamp(path)
            _refuse_long(path, before)
            sound = read_sound(path)
            _refuse_changed(path, before)
        except AudioError as error:
            return None, Answered(path, (), error=str(error))
        audio = self._recognizer.audio
        remark = "; ".join(tell_clip(sound, audio)) or None
        return clip_from_samples(sound.samples, sound.sample_rate, audio), Answered(path, (), remark)

    def _row(self, scores: NDArray[np.float64]) -> tuple[Any, ...]:
        named = self._recognizer.name(scores, top=self._top, reject=self._reject)
        return tuple(cell for one in named for cell in (one.label, one.probability))


class DetectionAnswers(Answers):
    """The words in files of any length, with their times; a file without any has one row, whose cells are empty.

    Args:
        recognizer: the model; of one thread where several ask.
        settings: how it is listened to; None: as its file says.

    Raises:
        SettingsError: a threshold is of a word that the model does not know.
        ModelError: the streaming form beside the model cannot be read.
    """

    batch = 1
    columns = (Column("word", str), Column("score", float), Column("start", float), Column("end", float))

    def __init__(self, recognizer: Recognizer, settings: StreamSettings | None = None) -> None:
        super().__init__(recognizer)
        self._given = settings
        first = FileListener(recognizer, settings)
        self.note, self._settings = first.note, first.settings
        self._own = threading.local()

    @property
    def files(self) -> tuple[Path, ...]:
        """What answers are computed by: the model, and its streaming form where there is one."""
        stream = self._recognizer.path.with_name(STREAM_FILE)
        return (self._recognizer.path, *([stream] if stream.is_file() else []))

    def asked(self) -> dict[str, Any]:
        """Say what the answers hang on, as values that JSON can hold."""
        return super().asked() | {"stream": dump(self._settings)}

    def answer(self, paths: Sequence[str]) -> list[Answered]:
        """Answer on some files, as `Answers` says."""
        return [self._listen(path) for path in paths]

    def _listen(self, path: str) -> Answered:
        try:
            before = _stamp(path)
            blocks = SoundBlocks(path, goes_on=True)
            found = [one for step in self._listener().listen(blocks) for one in step.detections]
            _refuse_changed(path, before)
        except AudioError as error:
            return Answered(path, (), error=str(error))
        rows = tuple(map(_cells, found)) or ((None,) * len(self.columns),)
        return Answered(path, rows, "; ".join(blocks.read.remarks) or None)

    def _listener(self) -> FileListener:
        """Give the listener of this thread, as a stream has a state."""
        if not hasattr(self._own, "listener"):
            self._own.listener = FileListener(self._recognizer, self._given)
        return self._own.listener


def answers_as_asked(recognizer: Recognizer, asked: Mapping[str, Any]) -> Answers:
    """Make the answers of which `Answers.asked` said this.

    Raises:
        SettingsError: it was said of another model.
    """
    if "stream" in asked:
        return DetectionAnswers(recognizer, read(StreamSettings, asked["stream"]))
    return WordAnswers(recognizer, top=asked["top"], reject=asked["reject"])


def _cells(one: Detection) -> tuple[str, float, float, float]:
    return one.word, one.score, one.start, one.end


def _stamp(path: str) -> tuple[int, int] | None:
    """Give length in bytes and time of the last change; None where there is none, as reading will tell."""
    try:
        facts = os.stat(path)  # noqa: PTH116 - a path may be what no Path can be
    except (OSError, ValueError):
        return None
    return facts.st_size, facts.st_mtime_ns


def _refuse_changed(path: str, before: tuple[int, int] | None) -> None:
    after = _stamp(path)
    if after is not None and after != before:
        raise AudioError(f"{path}: changed while it was read; ask again when nothing writes to it any more")


def _refuse_long(path: str, stamp: tuple[int, int] | None) -> None:
    if stamp and stamp[0] > _MAYBE_LONG_BYTES and (seconds := probe(path)[0]) > _LONGEST_SECONDS:
        much = f"{seconds / 60:.0f} minutes of sound, of which one word is asked (at most {_LONGEST_SECONDS / 60:.0f})"
        raise AudioError(f"{path}: {much}; find the words in long files with --spot")
