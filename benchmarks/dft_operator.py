"""The short-time Fourier transform in an exported file: folded frames times small matrices, beside other forms.

These are one convolution with the whole matrix of cosines and sines, and ONNX's own operators `STFT` and `DFT`, which
need no matrix.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import onnxruntime
import torch
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from benchmarks.contest import Contest, Figure
from sayso.dsp.stft import Stft

RATE, N_FFT, WINDOW, HOP = 16_000, 512, 480, 160
FOLDED, KERNEL, STFT, DFT = (
    "sayso: folded frames",
    "the whole matrix, convolved",
    "operator STFT",
    "operator DFT on frames",
)
ANSWERS = 100


def contest(*, full: bool) -> Contest:
    """Set the contest up: power of one second at 16 kHz, windows of 30 ms every 10 ms, one thread."""
    del full
    clip = np.random.default_rng(0).standard_normal((1, RATE)).astype(np.float32)
    models = {FOLDED: _folded(), KERNEL: _kernel(), STFT: _stft(), DFT: _dft()}
    sessions = {name: _session(model) for name, model in models.items()}
    expected, kernel, *others = (session.run(None, {"samples": clip})[0] for session in sessions.values())
    frames = expected[0]
    for other in (kernel[0].T, *others):
        found = other.reshape(-1, frames.shape[1])
        shared = min(len(found), len(frames))
        if np.abs(found[:shared] - frames[:shared]).max() > 1e-5 * frames.max():
            raise RuntimeError("the forms do not give one transform")
    return Contest(
        title="power of one second at 16 kHz in onnxruntime, one thread",
        sides={name: _timed(session, clip) for name, session in sessions.items()},
        unit="ms",
        figures=tuple(
            Figure(f"times as long: {name}", lambda taken, name=name: taken[name] / taken[FOLDED])
            for name in (KERNEL, STFT, DFT)
        ),
        notes=tuple(f"{name}: {len(model.SerializeToString()):,} bytes" for name, model in models.items()),
    )


def _window() -> np.ndarray:
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)


class _Power(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stft = Stft(n_fft=N_FFT, window=WINDOW, hop=HOP, centred=False)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        # The window stands in the middle of the frame here, and at its beginning in the other forms.
        beside = (N_FFT - WINDOW) // 2
        return self.stft.power(torch.nn.functional.pad(samples, (beside, beside)))


def _folded() -> ModelProto:
    example = torch.zeros(1, RATE)
    program = torch.onnx.export(_Power().eval(), (example,), dynamo=True, verbose=False, input_names=["samples"])
    assert program is not None
    return program.model_proto


def _kernel() -> ModelProto:
    angles = 2 * np.pi * np.outer(np.arange(N_FFT // 2 + 1), np.arange(WINDOW)) / N_FFT
    waves = np.concatenate((np.cos(angles), -np.sin(angles))) * _window()
    nodes = [
        helper.make_node("Unsqueeze", ["samples", "axis"], ["lifted"]),
        helper.make_node("Conv", ["lifted", "kernel"], ["parts"], strides=[HOP]),
        *_power(axis=1),
    ]
    return _model(nodes, {"axis": np.array([1]), "kernel": waves[:, None].astype(np.float32)})


def _stft() -> ModelProto:
    nodes = [helper.make_node("STFT", ["samples", "hop", "window"], ["parts"], onesided=1), *_power(axis=-1)]
    return _model(nodes, {"hop": np.array(HOP), "window": np.pad(_window(), (0, N_FFT - WINDOW))})


def _dft() -> ModelProto:
    starts = np.arange(0, RATE - WINDOW + 1, HOP)
    places = (starts[:, None] + np.arange(WINDOW)).astype(np.int32)
    nodes = [
        helper.make_node("Gather", ["samples", "places"], ["frames"], axis=1),
        helper.make_node("Mul", ["frames", "window"], ["windowed"]),
        helper.make_node("Pad", ["windowed", "behind"], ["padded"]),
        helper.make_node("Unsqueeze", ["padded", "axis"], ["lifted"]),
        helper.make_node("DFT", ["lifted"], ["parts"], axis=2, onesided=1),
        *_power(axis=-1),
    ]
    behind = np.array([0, 0, 0, 0, 0, N_FFT - WINDOW])
    return _model(nodes, {"places": places, "window": _window(), "behind": behind, "axis": np.array([-1])})


def _power(*, axis: int) -> list[NodeProto]:
    return [
        helper.make_node("Split", ["parts"], ["real", "imaginary"], axis=axis, num_outputs=2),
        helper.make_node("Mul", ["real", "real"], ["one"]),
        helper.make_node("Mul", ["imaginary", "imaginary"], ["other"]),
        helper.make_node("Add", ["one", "other"], ["power"]),
    ]


def _model(nodes: Sequence[NodeProto], constants: Mapping[str, np.ndarray]) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "power",
        [helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["clips", RATE])],
        [helper.make_tensor_value_info("power", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def _session(model: ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _timed(session: onnxruntime.InferenceSession, clip: np.ndarray) -> Callable[[], float]:
    """Milliseconds of one clip, the median of many."""

    def side() -> float:
        taken: list[float] = []
        for _ in range(ANSWERS):
            start = time.perf_counter()
            session.run(None, {"samples": clip})
            taken.append(1_000 * (time.perf_counter() - start))
        return float(np.median(taken))

    return side
