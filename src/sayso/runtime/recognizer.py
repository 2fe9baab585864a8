"""One model file, one answer: clip in, words with probabilities out."""

import os
import threading
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.audio import (
    AudioFormat,
    Sound,
    check_rate,
    clip_from_samples,
    count_beyond,
    read_array,
    read_sound,
    tell_clip,
    to_float,
)
from sayso.errors import AudioError, Fault, ModelError, SettingsError, SoundWarning
from sayso.metrics.probabilities import softmax
from sayso.runtime.model_file import find_model_file, open_session, read_facts
from sayso.runtime.stream_curve import StreamCurve
from sayso.runtime.stream_file import StreamFile, find_stream_file
from sayso.runtime.stream_settings import StreamSettings
from sayso.system.wording import counted

__all__ = ["Prediction", "Recognizer"]

_BATCH = 64

Source = Any
"""A sound file, or one channel of samples; what is neither is refused by one AudioError."""
Rate = Any
"""A sample rate in hertz, or None; what is neither is refused in the same way."""


@dataclass(frozen=True)
class Prediction:
    """A word and how probable the model holds it, in [0, 1].

    The label is None where the answer is "none of these": no word is as probable as the model's threshold asks. The
    probability is then that of the most probable word.
    """

    label: str | None
    probability: float


class Recognizer:
    """A recogniser from a `model.onnx` that Sayso exported.

    Args:
        path: the model file, or the folder of a run that has one.
        threads: how many threads one answer may use; 0 lets onnxruntime choose.

    Raises:
        ModelError: the file is missing, no model, or one that this version cannot read.

    Attributes:
        labels: the words it knows.
        audio: sample rate, clip length and fitting that its clips are brought to.
        recipe: the recipe it was trained by, as YAML text; paths and people's names may be left out.
        temperature: what the file divides its logits by, fitted so that probabilities mean what they say; 1 where none
            was fitted.
        threshold: an answer of less probability is "none of these"; None where the file always names a word.
        stream: how a stream is listened to with it; None where the file was made before there were streams.
        stream_curve: what each threshold costs on streams, in misses and false alarms an hour; None where it was never
            tuned (`sayso tune`).
        credit: whose pretrained weights are in it, and under which licence; empty where there are none.
        card: its model card, as Markdown; empty where an earlier Sayso made the file.
        sha256: of the file as it was opened; another may have taken its place since.
    """

    def __init__(self, path: str | Path, *, threads: int = 0) -> None:
        self.path = find_model_file(Path(path))
        self._session, metadata, self.sha256 = open_session(self.path, threads=threads)
        facts = read_facts(self.path, metadata)
        self.labels: tuple[str, ...] = facts.labels
        self.audio: AudioFormat = facts.audio
        self.recipe: str = facts.recipe
        self.temperature: float = facts.temperature
        self.threshold: float | None = facts.threshold
        self.stream: StreamSettings | None = facts.stream
        self.stream_curve: StreamCurve | None = facts.stream_curve
        self.credit: str = facts.credit
        self.card: str = facts.card
        self._input = self._find_input()
        self._opening = threading.Lock()
        self._stream_files: dict[tuple[int, int], tuple[StreamFile | None, str]] = {}

    def predict(
        self, sound: Source, *, sample_rate: Rate = None, top: int = 1, reject: bool = True
    ) -> list[Prediction]:
        """Name the word in one clip.

        Args:
            sound: a sound file, or one channel of samples, (samples,): floats of 16 to 64 bits in [-1, 1], int16 of
                either byte order, or a list of such numbers.
            sample_rate: of the samples in hertz; None: the model's own. A file knows its own.
            top: how many words to give, most probable first, at least 1; no more than the model knows.
            reject: begin with a `Prediction` without label where no word is as probable as the threshold asks; False
                always names a word first.

        Raises:
            AudioError: the file or the samples cannot be used as sound; says what was given.
            SettingsError: `top` is below 1.

        Warns:
            SoundWarning: the sound had to be changed first, such as clipped where it lies outside [-1, 1], or
                is a file more than twice as long as a clip, which is all that is heard of it.
        """
        return self.predict_many([sound], sample_rate=sample_rate, top=top, reject=reject)[0]

    def predict_many(
        self,
        sounds: Iterable[Source],
        *,
        sample_rate: Rate = None,
        top: int = 1,
        reject: bool = True,
    ) -> list[list[Prediction]]:
        """Name the words in many clips, in batches; as `predict`."""
        if top < 1:
            raise SettingsError([Fault("top", f"is {top}, must be 1 or more")])
        if isinstance(sounds, str | os.PathLike):
            raise AudioError(f"sounds is one path ('{sounds}'), must be a list of sounds; `predict` answers on one")
        answers: list[list[Prediction]] = []
        waiting = iter(sounds)
        while batch := list(islice(waiting, _BATCH)):
            clips = [self._clip(sound, sample_rate) for sound in batch]
            for row in self.probabilities(to_float(np.stack(clips))):
                answers.append(self.name(row, top=top, reject=reject))
        return answers

    def name(self, row: NDArray[np.float64], *, top: int = 1, reject: bool = True) -> list[Prediction]:
        """Name the words of one clip by its probabilities, (words,); as `predict`."""
        words = [Prediction(self.labels[index], float(row[index])) for index in np.argsort(-row, kind="stable")[:top]]
        return self._with_none(words)[:top] if reject else words

    def _with_none(self, words: list[Prediction]) -> list[Prediction]:
        best = words[0].probability
        return words if self.threshold is None or best >= self.threshold else [Prediction(None, best), *words]

    def probabilities(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probabilities (clips, words) of fitted clips; what a row lacks to 1 is that of "none of these"."""
        return softmax(self.logits(samples))[:, : len(self.labels)]

    def logits(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw scores of fitted clips, (clips, words), with "none of these" behind the words where the model learned it.

        Args:
            samples: float32 (clips, audio.clip_samples) in [-1, 1).

        Raises:
            ModelError: the graph cannot be computed, or gives what are no scores of these words.
        """
        try:
            logits = np.asarray(self._session.run(None, {self._input: samples})[0], dtype=np.float32)
        except Exception as error:  # as above
            raise ModelError(f"{self.path}: damaged, onnxruntime cannot compute it; export it again") from error
        # "None of these" may stand behind the words.
        if logits.ndim != 2 or logits.shape[0] != len(samples) or logits.shape[1] - len(self.labels) not in (0, 1):
            asked = f"{counted(len(samples), 'clip')} and {counted(len(self.labels), 'word')}"
            raise ModelError(f"{self.path}: damaged, it gives logits {logits.shape} for {asked}; export it again")
        if not np.isfinite(logits).all():
            raise ModelError(f"{self.path}: damaged, it gives logits that are not numbers (NaN or infinite)")
        return logits

    def stream_file(self, hop: int, *, threads: int) -> tuple[StreamFile | None, str]:
        """Give the streaming form beside the file as `find_stream_file` does; opened once, however many streams ask."""
        asked = (hop, threads)
        with self._opening:
            if asked not in self._stream_files:
                self._stream_files[asked] = find_stream_file(self.path, hop, sha256=self.sha256, threads=threads)
            return self._stream_files[asked]

    def _find_input(self) -> str:
        """Give the name of the graph's input, which must take any number of clips of the length that is told."""
        inputs = self._session.get_inputs()
        wanted = self.audio.clip_samples
        if len(inputs) != 1 or len(inputs[0].shape) != 2:
            raise ModelError(f"{self.path}: damaged, its graph does not take clips; export it again")
        batch, samples = inputs[0].shape
        if isinstance(batch, int) or (isinstance(samples, int) and samples != wanted):
            takes = f"its graph takes {inputs[0].shape}, its metadata tells of clips of {wanted:,} samples"
            raise ModelError(f"{self.path}: damaged, {takes}; export it again")
        return str(inputs[0].name)

    def _clip(self, source: Source, sample_rate: Rate) -> NDArray[np.int16]:
        if isinstance(source, str | os.PathLike):
            sound = read_sound(Path(source))
            remarks = tell_clip(sound, self.audio)
        else:
            rate = check_rate(self.audio.sample_rate if sample_rate is None else sample_rate)
            samples = read_array(source)
            sound = Sound("samples", samples, rate, count_beyond(samples))
            remarks = sound.remarks
        for remark in remarks:
            warnings.warn(f"{sound.name}: {remark}", SoundWarning, stacklevel=4)
        return clip_from_samples(sound.samples, sound.sample_rate, self.audio)
