"""An endless stream: samples in as they come, detections out."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from sayso.audio import Samples, check_rate, quantise, read_array, to_float
from sayso.runtime.decisions import Decider
from sayso.runtime.hops import Answers, Hops, Stateful, Windows
from sayso.runtime.recognizer import Recognizer
from sayso.runtime.stream_curve import CurveRow, StreamCurve
from sayso.runtime.stream_settings import StreamSettings

__all__ = ["Detection", "Judgement", "Stream"]


@dataclass(frozen=True)
class Detection:
    """A word that was heard in a stream."""

    word: str
    score: float
    """Mean probability over the hops that were judged together, in [0, 1]."""
    start: float
    """Where the sound begins that was judged, in seconds from the stream's beginning."""
    end: float
    """Where it ends: the word was known from then on, and has ended a little before."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was decided at one hop."""

    hop: int
    """Its number, from 0; in silence that is not listened to some are left out."""
    start: float
    """Where the sound begins that was judged, in seconds from the stream's beginning."""
    end: float
    """Where it ends."""
    scores: NDArray[np.float64]
    """Of each word, smoothed, (words,)."""
    detection: Detection | None
    """The word that is detected here, if any."""


class Stream:
    """Listens with a model to sound that has no end.

    At every hop, from the first whole window on, the answer is that of the exported model on the window that ends
    there, of the stream as it is resampled and rounded to 16 bits.

    Args:
        model: a `model.onnx`, a run's folder, or a recognizer that is open.
        sample_rate: of what will be fed, in hertz; None: the model's own.
        settings: how it is listened to; None: as the model file says, or as by default where it says nothing.
        threads: how many threads a hop may use; 0 lets onnxruntime choose. Of a recognizer that is open, whose streams
            share what it opened, the streaming form alone.
        by_windows: take the whole-clip model for each window, even where `stream.onnx` lies beside it.

    Raises:
        AudioError: the rate is none.
        ModelError: the file is missing, no model, or one that this version cannot read.
        SettingsError: a threshold is of a word that the model does not know.

    Attributes:
        labels: the words it knows.
        settings: what it is listened to by.
        form: `stateful`, where each hop computes what is new alone, or `windows`.
        note: why it is windows, or that the file knows nothing of streams; empty: there is nothing to say.
        scores: of the newest hop, smoothed, (words,).
        curve: what each threshold costs, as `sayso tune` measured it; None: `curve_note` says why there is none.
        curve_note: why nothing is known of misses and false alarms; empty where it is.
    """

    def __init__(
        self,
        model: "str | Path | Recognizer",
        *,
        sample_rate: Any = None,
        settings: StreamSettings | None = None,
        threads: int = 1,
        by_windows: bool = False,
    ) -> None:
        recognizer = model if isinstance(model, Recognizer) else Recognizer(model, threads=threads)
        audio = recognizer.audio
        self.labels = recognizer.labels
        self.settings = settings or recognizer.stream or StreamSettings()
        self.sample_rate = check_rate(audio.sample_rate if sample_rate is None else sample_rate)
        self._rate, self._length = audio.sample_rate, audio.clip_samples
        self._decider = Decider(self.labels, self.settings, audio.sample_rate)
        hop = self.settings.hop_samples(audio.sample_rate)
        file, why = (None, "") if by_windows else recognizer.stream_file(hop, threads=threads)
        self.form = "stateful" if file else "windows"
        self.note = f"listening by whole windows, which costs more: {why}" if why else ""
        if recognizer.stream is None:
            taken = "those given here" if settings else "the defaults"
            self.note = f"{recognizer.path} has no stream settings (older export); {taken} are taken"
        self.curve, self.curve_note = _find_curve(recognizer, self.settings)
        scorer = Stateful(file) if file else Windows(recognizer, hop)
        self._hops = Hops(scorer, len(self.labels), gate_db=self.settings.gate_db)
        self._hop = hop
        self.reset()

    def estimate(self, word: str) -> CurveRow | None:
        """What the word's threshold costs in misses and false alarms an hour; None where that is not known."""
        return self.curve.at(word, self.settings.threshold_of(word)) if self.curve else None

    @property
    def delay_seconds(self) -> float:
        """How far behind the newest sample what is judged lies for now, by resampling alone."""
        return self._resampler.delay() / self._rate if self._resampler else 0.0

    @property
    def window_seconds(self) -> float:
        """Length of what is judged at once."""
        return self._length / self._rate

    def reset(self) -> None:
        """Begin a new stream, at second 0."""
        different = self.sample_rate != self._rate
        self._resampler = soxr.ResampleStream(self.sample_rate, self._rate, 1, quality="HQ") if different else None
        self._hops.reset()
        self._decider.reset()
        self.scores: NDArray[np.float64] = np.zeros(len(self.labels))

    def feed(self, samples: Any) -> list[Detection]:
        """Take the next samples, and tell the words that end in them.

        Args:
            samples: (samples,), one or many: floats of 16 to 64 bits in [-1, 1], int16, or a list of such numbers; none
                at all give nothing.

        Raises:
            AudioError: they cannot be used as sound; the stream is as it was before, and can be fed on.
        """
        return _detections(self.judge(samples))

    def judge(self, samples: Any) -> list[Judgement]:
        """Take the next samples, and tell what was decided at each hop; as `feed`."""
        return self._judge(self.answer(samples))

    def flush(self) -> list[Detection]:
        """Tell the words in what was held back for resampling; the stream is a new one then."""
        held = self._resampler.resample_chunk(np.zeros(0, np.float32), last=True) if self._resampler else ()
        found = _detections(self._judge(self._hops.feed(quantise(np.asarray(held, np.float32)))))
        scores = self.scores
        self.reset()
        self.scores = scores
        return found

    def answer(self, samples: Any) -> Answers:
        """Take the next samples, and give what the model says at each hop, before any decision; as `feed`."""
        if not isinstance(samples, str | bytes) and hasattr(samples, "__len__") and len(samples) == 0:
            return self._hops.feed(np.zeros(0, np.int16))
        return self._hops.feed(self._at_rate(read_array(samples)))

    def _at_rate(self, samples: Samples) -> NDArray[np.int16]:
        if self._resampler is None:
            return quantise(samples)
        return quantise(np.asarray(self._resampler.resample_chunk(to_float(samples)), np.float32))

    def _judge(self, answers: Answers) -> list[Judgement]:
        judged: list[Judgement] = []
        for hop, probabilities in zip(answers.hops.tolist(), answers.probabilities, strict=True):
            self.scores, fired = self._decider.decide(probabilities, hop)
            end = (hop * self._hop + self._length) / self._rate
            first = max(0, hop - self.settings.smoothing + 1) * self._hop / self._rate
            found = Detection(self.labels[fired.place], fired.score, first, end) if fired else None
            judged.append(Judgement(hop, first, end, self.scores, found))
        return judged


def _detections(judged: list[Judgement]) -> list[Detection]:
    return [each.detection for each in judged if each.detection]


def _find_curve(recognizer: Recognizer, settings: StreamSettings) -> tuple[StreamCurve | None, str]:
    curve = recognizer.stream_curve
    if curve is None:
        return None, (
            f"{recognizer.path} was never tuned, so nobody knows how often it misses a word or fires by mistake: "
            "sayso tune RUN --write"
        )
    if _without_thresholds(settings) != _without_thresholds(recognizer.stream or StreamSettings()):
        return None, (
            f"{recognizer.path} was tuned with other stream settings, so nobody knows how often it misses a word or "
            "fires by mistake with these"
        )
    return curve, ""


def _without_thresholds(settings: StreamSettings) -> StreamSettings:
    return replace(settings, threshold=0.5, thresholds=(), gate_db=None)
