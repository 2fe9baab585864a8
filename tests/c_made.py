"""Networks made by hand, without torch, as Sayso exports them: for programs in C."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sayso.audio import RESAMPLER, to_float
from sayso.runtime import Recognizer
from sayso.runtime.hops import Stateful, Windows, score_stream
from sayso.system.compiled import find_compiler

__all__ = [
    "HOP", "LENGTH", "RATE", "WORDS", "Maker", "expected_logits", "make_sound", "make_stream_model", "needs_compiler",
    "run_program", "write_model",
]  # fmt: skip

RATE, LENGTH, HOP = 8000, 1600, 320
WORDS = ("up", "down", 'say "when?"', "größer")
_FFT, _WINDOW, _FRAME_HOP, _BANDS, _FRAMES = 128, 120, 80, 10, 19
_NEW = HOP // _FRAME_HOP
_CARRIED = _FFT - _FRAME_HOP
_END = np.iinfo(np.int64).max


needs_compiler = pytest.mark.skipif(
    not (find_compiler() and shutil.which("make")), reason="there is no C compiler here (cc, gcc or clang), or no make"
)


class Maker:
    """Collects the nodes of a graph, whose weights are drawn at random."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self.rng = np.random.default_rng(0)

    def number(self, values: Any) -> str:
        """Name a constant."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.asarray(values)
        return name

    def drawn(self, *shape: int) -> str:
        """Name weights that keep what they are multiplied with about as large."""
        inputs = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        return self.number((self.rng.standard_normal(shape) / np.sqrt(inputs)).astype(np.float32))

    def add(self, operator: str, *inputs: str, name: str = "", outputs: int = 1, **attributes: Any) -> str:
        """Add a node; gives the name of what it makes."""
        made = name or f"{operator.lower()}_{len(self.nodes)}"
        others = [f"{made}_{place}" for place in range(1, outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), [made, *others], **attributes))
        return made

    def model(self, inputs: dict[str, Sequence[Any]], outputs: dict[str, Sequence[Any]], facts: dict[str, str]) -> Any:
        """Give the model."""
        told = [
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in each.items()]
            for each in (inputs, outputs)
        ]
        constants = [numpy_helper.from_array(values, name) for name, values in self.constants.items()]
        graph = helper.make_graph(self.nodes, "hand", *told, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        helper.set_model_props(model, facts)
        return model


def make_stream_model(
    folder: Path, *, is_carried: bool = True, louder: float = 1.0, gain: float = 1.0, **stream: Any
) -> Path:
    """Write `model.onnx`, and `stream.onnx` where it is carried; `stream`: settings that differ from the defaults.

    `louder`: of logits; `gain`: of samples, where nothing is carried.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_model(folder / "model.onnx", _whole_clip(1.0, np.zeros(len(WORDS) + 1, np.float32)))
    logits = Recognizer(folder / "model.onnx").logits(to_float(sliding_window_view(make_sound(6), LENGTH)[::HOP]))
    middle = -logits.mean(axis=0)  # every word is the likeliest at times
    model = write_model(folder / "model.onnx", _whole_clip(louder, middle, gain), **stream)
    if is_carried:
        facts = {
            "format_version": "2",
            "model_sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
            "hop_samples": str(HOP),
            "lead_samples": str(_FRAME_HOP - _CARRIED),
            "first": "4",
            "form": "features carried, the network on a ring of them",
        }
        states = {"state_0": [1, 1, _BANDS, _FRAMES - _NEW], "state_1": [1, _CARRIED]}
        after = {"next_0": states["state_0"], "next_1": states["state_1"]}
        made = _streaming(louder, middle).model(
            {"samples": ["chunks", HOP], **states}, {"logits": ["chunks", len(WORDS) + 1], **after}, facts
        )
        onnx.save(made, folder / "stream.onnx")
    return model


def write_model(
    path: Path, maker: Maker, *, length: int = LENGTH, words: Sequence[str] = WORDS, classes: int = 5, **stream: Any
) -> Path:
    """Write a whole-clip graph, `samples` to `logits`, with what Sayso says of itself in a file."""
    facts = {
        "format_version": "2",
        "resampler": RESAMPLER,
        "labels": json.dumps(words),
        "audio": json.dumps({"sample_rate": RATE, "clip_seconds": length / RATE, "fit": "centre"}),
        "recipe": "dataset: {kind: fsdd}",
        "stream": json.dumps({"hop_seconds": HOP / RATE, **stream}),
        "card": "A card.\n",
    }
    onnx.save(maker.model({"samples": ["batch", length]}, {"logits": ["batch", classes]}, facts), path)
    return path


def make_sound(seconds: float) -> NDArray[np.int16]:
    """Make noise of many colours, loud and faint, and silence, (samples,)."""
    rng = np.random.default_rng(0)
    parts = []
    for place in range(round(seconds / 0.1)):
        level = 0 if place % 7 == 0 else 10 ** rng.uniform(1, 4)
        noise = np.convolve(rng.standard_normal(RATE // 10), rng.standard_normal(5), "same")
        parts.append(np.clip(level * noise, -32768, 32767))
    return np.concatenate(parts).astype(np.int16)


def _frames(maker: Maker, sound: str, end: str) -> str:
    """Logarithms of bands, made normal, (batch, bands, frames), of sound (batch, samples)."""
    bins, reach = _FFT // 2 + 1, _WINDOW // 2
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1, _WINDOW) / _WINDOW)
    lower = np.arange(_FFT // 4 + 1)
    turns = 2 * np.pi / _FFT * np.outer(np.arange(reach), lower)
    cosines, sines = np.cos(turns) * (-1.0) ** lower, -np.sin(turns) * (-1.0) ** lower
    cosines[0] /= 2
    cosines, sines = (waves * taper[reach - 1 :, None] for waves in (cosines, sines))
    peaks = np.linspace(2, bins - 6, _BANDS)
    bank = np.maximum(0, 1 - np.abs(np.arange(bins)[:, None] - peaks) / 5)

    def cut(tensor: str, first: int, last: int, axis: int, step: int = 1) -> str:
        return maker.add("Slice", tensor, *(maker.number([each]) for each in (first, last, axis, step)))

    step, count = _FRAME_HOP // 2, reach // 2
    added = step - _FFT // 4  # a piece of half a hop holds what is before the middle, one what is after it
    held = maker.add("Slice", sound, maker.number([0]), end, maker.number([1]))
    padded = maker.add("Pad", held, maker.number([0, 2 * added, 0, 2 * added]))
    pairs = maker.add("Reshape", padded, maker.number([0, -1, 2]))

    def half_frames(parity: int, *, is_earlier: bool) -> str:
        samples = maker.add("Gather", pairs, maker.number(parity), axis=2)
        first, last = (1 - parity, 1 - parity - step) if is_earlier else (step, _END)
        pieces = maker.add("Reshape", cut(samples, first, last, 1), maker.number([0, -1, step]))
        return cut(cut(pieces, -1, -_END, 2, -1) if is_earlier else pieces, 0, count, 2)

    later, earlier = ([half_frames(parity, is_earlier=when) for parity in (0, 1)] for when in (False, True))
    products = [
        maker.add(
            "MatMul",
            maker.add(operator, later[parity], earlier[parity]),
            maker.number(matrix[parity::2].astype(np.float32)),
        )
        for operator, matrix in (("Add", cosines), ("Sub", sines))
        for parity in (0, 1)
    ]
    halves: list[str] = []
    for operator in ("Add", "Sub"):
        parts = (maker.add(operator, *products[:2]), maker.add(operator, *products[2:]))
        halves.append(maker.add("Add", *(maker.add("Mul", part, part) for part in parts)))
    banks = (bank[: len(lower)], np.concatenate((bank[: len(lower) - 1 : -1], np.zeros((1, _BANDS)))))
    energies = maker.add(
        "Add",
        *(
            maker.add("MatMul", half, maker.number(each.astype(np.float32)))
            for half, each in zip(halves, banks, strict=True)
        ),
    )
    levels = maker.add("Log", maker.add("Add", energies, maker.number(np.float32(1e-6))))
    return maker.add("Transpose", levels, perm=[0, 2, 1])


def _whole_clip(louder: float, bias: NDArray[np.float32], gain: float = 1.0) -> Maker:
    maker = Maker()
    sound = "samples" if gain == 1 else maker.add("Mul", "samples", maker.number(np.float32(gain)))
    frames = _frames(maker, sound, maker.number([LENGTH - (LENGTH - _FFT) % _FRAME_HOP]))
    _network(maker, maker.add("Unsqueeze", frames, maker.number([1])), louder, bias)
    return maker


def _network(maker: Maker, features: str, louder: float, bias: NDArray[np.float32]) -> None:
    """From features, (batch, 1, bands, frames), to logits."""
    mean = maker.add("Sub", features, maker.number(np.full((1, _BANDS, 1), -3, np.float32)))
    spread = maker.number(np.linspace(2, 4, _BANDS, dtype=np.float32)[None, :, None])
    x = maker.add("Reshape", maker.add("Div", mean, spread), maker.number([-1, _BANDS, _FRAMES]))
    first = maker.add("Conv", x, maker.drawn(8, _BANDS, 3), maker.drawn(8), pads=[1, 1])
    x = maker.add("Relu", first)
    x = maker.add("Conv", x, maker.drawn(8, 1, 3), pads=[1, 1], strides=[2], group=8)
    x = maker.add("Conv", maker.add("Relu", x), maker.drawn(12, 8, 1), maker.drawn(12))
    beside = maker.add("Conv", first, maker.drawn(12, 8, 1), strides=[2])
    x = maker.add("Relu", maker.add("Add", x, beside))
    x = maker.add("ReduceMean", x, maker.number([-1]), keepdims=0)
    x = maker.add("Gemm", x, maker.drawn(len(WORDS) + 1, 12), maker.number(bias), transB=1)
    maker.add("Div", x, maker.number(np.float32([1 / louder])), name="logits")


def _streaming(louder: float, bias: NDArray[np.float32]) -> Maker:
    """The graph for a stream: chunks (chunks, HOP), and what is carried."""
    maker = Maker()
    one, three, end = maker.number([1]), maker.number([3]), maker.number([_END])
    chunks = maker.add("Shape", "samples", start=0, end=1)
    heard = maker.add("Concat", "state_1", maker.add("Reshape", "samples", maker.number([1, -1])), axis=1)
    new = _frames(maker, heard, end)
    ring = maker.add("Concat", "state_0", maker.add("Unsqueeze", new, one), axis=3)
    zero = maker.number(0)
    fresh = maker.add("Mul", chunks, maker.number([_NEW]))
    steps = maker.add("Range", zero, maker.add("Squeeze", fresh), maker.number(_NEW))
    places = maker.add("Add", maker.add("Unsqueeze", steps, one), maker.number(np.arange(_FRAMES)[None]))
    windows = maker.add("Gather", maker.add("Gather", ring, places, axis=3), zero, axis=0)
    maker.rng = np.random.default_rng(0)  # the weights of the whole-clip graph
    _network(maker, maker.add("Transpose", windows, perm=[2, 0, 1, 3]), louder, bias)
    maker.add("Slice", ring, fresh, end, three, one, name="next_0")
    maker.add("Slice", heard, maker.add("Mul", chunks, maker.number([HOP])), end, one, one, name="next_1")
    return maker


def run_program(
    folder: Path, samples: NDArray[np.int16], *, flags: str = "-Os -Werror"
) -> tuple[NDArray[np.float64], list[tuple[float, str]]]:
    """Give what the program says of each hop, (hops, classes), and the words that it detects, with their times."""
    subprocess.run(["make", "--silent", "--directory", folder, "listen", f"CFLAGS={flags}"], check=True)
    told = subprocess.run([folder / "listen", "--hops"], input=samples.tobytes(), check=True, capture_output=True)
    lines = told.stdout.decode().splitlines()
    hops = [[float(each) for each in line.split()[1:]] for line in lines if "." not in line.split()[0]]
    words = [tuple(line.split(" ", 1)) for line in lines if "." in line.split()[0]]
    return np.array(hops), [(float(end), rest.rpartition(" ")[0]) for end, rest in words]


def expected_logits(model: Path, samples: NDArray[np.int16], hop: int = HOP) -> NDArray[np.float32]:
    """Give what onnxruntime says of each hop, (hops, classes)."""
    recognizer = Recognizer(model, threads=1)
    file, _ = recognizer.stream_file(hop, threads=1)
    return score_stream(Stateful(file) if file else Windows(recognizer, hop), samples)
