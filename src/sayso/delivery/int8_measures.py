"""An int8 model beside the float one it was made of: right answers on the same clips, and time on this processor."""

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.audio import to_float
from sayso.data.corpus import Corpus, Rows
from sayso.delivery.quantisation import front_end, network_alone
from sayso.metrics.scores import paired_difference
from sayso.runtime import Recognizer
from sayso.runtime.hops import Stateful, score_stream
from sayso.runtime.model_file import open_session
from sayso.runtime.stream_file import StreamFile

__all__ = ["Lost", "Speed", "measure_lost", "measure_speed", "right_answers", "right_in_stream", "time_both"]

_BATCH = 64
_SECONDS, _LEAST, _MOST = 1.5, 20, 400
_CPU_INFO = Path("/proc/cpuinfo")
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Lost:
    """How much accuracy int8 costs on some clips; shares in [-1, 1]."""

    clips: int
    float_accuracy: float
    int8_accuracy: float
    interval: tuple[float, float]
    """95 % interval of what is lost, paired: both models answered the same clips."""

    @property
    def lost(self) -> float:
        """Accuracy in float less that in int8; below 0 where int8 is better."""
        return self.float_accuracy - self.int8_accuracy

    def is_more_than(self, points: float) -> bool:
        """Whether more points of accuracy are lost, rounding aside; so is what is no number."""
        return not 100 * self.lost <= points + _ROUNDING

    @property
    def facts(self) -> dict[str, Any]:
        """As plain values."""
        accuracy = {"float": self.float_accuracy, "int8": self.int8_accuracy}
        return {"n": self.clips, "accuracy": accuracy, "lost": self.lost, "lost_ci95": list(self.interval)}


@dataclass(frozen=True)
class Speed:
    """Milliseconds of one clip on one thread, medians of turns that both took; `(float, int8)`."""

    file: tuple[float, float]
    network: tuple[float, float]
    processor: str

    @property
    def slower_by(self) -> float:
        """By what share of the float file's time int8 takes longer; below 0 where it is faster."""
        return (self.network[1] - self.network[0]) / self.file[0]

    @property
    def facts(self) -> dict[str, Any]:
        """As plain values."""
        pairs = {"file": self.file, "network": self.network}
        return {name: dict(zip(("float", "int8"), pair, strict=True)) for name, pair in pairs.items()} | {
            "threads": 1,
            "processor": self.processor,
        }


def right_answers(model: Path, corpus: Corpus, rows: Rows) -> NDArray[np.bool_]:
    """Which clips a model names rightly, (rows,), whatever its threshold."""
    recognizer = Recognizer(model, threads=0)
    batches = [rows[at : at + _BATCH] for at in range(0, len(rows), _BATCH)]
    logits = [recognizer.logits(to_float(np.array(corpus.samples[batch]))) for batch in batches]
    return _right(np.concatenate(logits), recognizer.labels, corpus, rows)


def right_in_stream(stream: Path, labels: Sequence[str], corpus: Corpus, rows: Rows) -> NDArray[np.bool_]:
    """Which clips the streaming form of a model names rightly where a stream is that clip, (rows,)."""
    scorer = Stateful(StreamFile(stream, threads=0))
    logits = [score_stream(scorer, np.array(corpus.samples[row]))[0] for row in rows]
    return _right(np.stack(logits), labels, corpus, rows)


def _right(logits: NDArray[np.float32], labels: Sequence[str], corpus: Corpus, rows: Rows) -> NDArray[np.bool_]:
    index = {label: place for place, label in enumerate(labels)}
    targets = np.array([index[corpus.clips[row].label] for row in rows])
    return logits[:, : len(labels)].argmax(axis=1) == targets


def measure_lost(in_float: NDArray[np.bool_], in_int8: NDArray[np.bool_], corpus: Corpus, rows: Rows) -> Lost:
    """Compare which of the same clips, at least one, both models named rightly."""
    speakers = [corpus.clips[row].speaker for row in rows]
    if len(set(speakers)) < 2:  # of one person there is no telling how others would differ, so clips are independent
        speakers = [None] * len(rows)
    interval = (-1.0, 1.0)
    if len(rows) > 1:
        _, interval = paired_difference(in_float.tolist(), in_int8.tolist(), speakers)
    return Lost(len(rows), float(in_float.mean()), float(in_int8.mean()), interval)


def measure_speed(in_float: Path, in_int8: Path, clip: NDArray[np.int16]) -> Speed:
    """Time both files, and their networks alone, on one clip, (samples,)."""
    samples = to_float(np.array(clip)[None])
    sessions: list[Any] = [open_session(path, threads=1)[0] for path in (in_float, in_int8)]
    first, second = sessions
    name = str(first.get_inputs()[0].name)
    file = time_both(lambda: first.run(None, {name: samples}), lambda: second.run(None, {name: samples}))
    original = in_float.read_bytes()
    front, heard = front_end(original)
    given = dict(zip(heard, _session(front).run(heard, {name: samples}), strict=True))
    one, other = (_session(network_alone(model, given)) for model in (original, in_int8.read_bytes()))
    return Speed(file, time_both(lambda: one.run(None, given), lambda: other.run(None, given)), _processor())


def time_both(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds that each takes: medians over turns, so that a machine that is slow for a while is so for both."""
    taken: list[tuple[float, float]] = []
    end = time.perf_counter() + _SECONDS
    while len(taken) < _LEAST or (len(taken) < _MOST and time.perf_counter() < end):
        start = time.perf_counter()
        first()
        middle = time.perf_counter()
        second()
        taken.append((middle - start, time.perf_counter() - middle))
    one, other = 1_000 * np.median(np.array(taken), axis=0)
    return float(one), float(other)


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])


def _processor() -> str:
    """Its name, and what it has for int8, as far as the system tells."""
    try:
        lines = [line.partition(":") for line in _CPU_INFO.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        lines = []
    told = {key.strip(): value.strip() for key, _, value in lines}
    name = told.get("model name") or platform.processor() or platform.machine()
    has = {"avx512_vnni": "AVX-512 VNNI", "avx_vnni": "AVX VNNI", "avx2": "AVX2, no VNNI"}
    kind = next((text for flag, text in has.items() if flag in told.get("flags", "").split()), "")
    return f"{name} ({kind})" if kind else name
