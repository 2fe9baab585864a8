"""`stream.onnx`, the form of a model that carries its state from chunk to chunk: opened once, for many streams."""

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.audio import FULL_SCALE
from sayso.errors import ModelError
from sayso.runtime.model_file import open_for_each_count

__all__ = ["STREAM_FILE", "State", "StreamFile", "find_stream_file"]

STREAM_FILE = "stream.onnx"
"""Its name, beside `model.onnx`."""
State = list[NDArray[Any]]
"""What one stream carries from step to step, float32; a step makes a new one, and changes none."""
_MOST_STATE = 1 << 24
# What is heard before an answer is about a window: minutes of it are nobody's.
_MOST_SAMPLES = 1 << 22


class StreamFile:
    """A `stream.onnx` that is open. It remembers nothing, so that streams in several threads may share it.

    Args:
        path: the file.
        threads: how many threads a step may use; 0 lets onnxruntime choose.

    Raises:
        ModelError: the file is missing, or no such form.

    Attributes:
        model_sha256: of the `model.onnx` that it is a form of.
        form: how it carries its state.
        hop: samples of a chunk.
        lead: zeros before the first sample.
        first: chunks before the one that ends the first window.
        empty: the state before the first chunk.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        self._session, self._open_for_one, metadata = open_for_each_count(path, threads=threads)
        self._of_one: Any = None
        self._opening = threading.Lock()
        try:
            self.model_sha256 = metadata["model_sha256"]
            self.hop, self.lead, self.first = (int(metadata[key]) for key in ("hop_samples", "lead_samples", "first"))
            self.form = metadata["form"]
        except (KeyError, ValueError) as error:
            raise ModelError(f"{path}: not the streaming form of a model ({error}); export it again") from error
        inputs = self._session.get_inputs()
        shapes = [each.shape for each in inputs[1:]]
        counts = min(self.hop, self.first + 1, self.lead + 1, len(inputs))
        too_long = max((self.first + 1) * self.hop, self.lead) > _MOST_SAMPLES
        if counts < 1 or too_long or not all(_is_size(shape) for shape in shapes):
            raise ModelError(f"{path}: damaged, its graph does not take a stream; export it again")
        self._path = path
        self._samples, self._names = inputs[0].name, [each.name for each in inputs[1:]]
        self.empty: State = [np.zeros(shape, np.float32) for shape in shapes]
        self._shapes = [part.shape for part in self.empty]
        # Named each time, they would be asked of the session each time.
        self._given = [each.name for each in self._session.get_outputs()]

    def step(self, chunks: NDArray[np.int16], state: State) -> tuple[NDArray[np.float32], State]:
        """Take chunks that follow one another, (chunks, hop).

        Returns:
            Logits (chunks, classes): of each chunk, those of the window that ends with it; and the state after them.

        Raises:
            ModelError: the graph cannot be computed.
        """
        if len(chunks) == 2:
            # As a resampler gives them now and then; in between, two graphs would push one another out of the cache.
            first, state = self.step(chunks[:1], state)
            second, state = self.step(chunks[1:], state)
            return np.concatenate((first, second)), state
        # Not by `to_float`, whose checks cost as much as a small network.
        samples = np.multiply(chunks, np.float32(1 / FULL_SCALE), dtype=np.float32)
        given = dict(zip(self._names, state, strict=True))
        try:
            session = self._single() if len(chunks) == 1 else self._session
            found: Any = session.run(self._given, {self._samples: samples, **given})
        except Exception as error:  # onnxruntime's own errors share no base
            raise ModelError(f"{self._path}: damaged, onnxruntime cannot compute it; export it again") from error
        logits, after = np.asarray(found[0], np.float32), found[1:]
        if logits.ndim != 2 or len(logits) != len(chunks) or [each.shape for each in after] != self._shapes:
            raise ModelError(f"{self._path}: damaged, its answers are not one for each chunk; export it again")
        return logits, after

    def _single(self) -> Any:
        """Give the session for single chunks, as a stream that is listened to brings; files are heard by many."""
        if self._of_one is None:
            with self._opening:
                if self._of_one is None:
                    self._of_one = self._open_for_one()
                    del self._open_for_one  # with the content
        return self._of_one


def _is_size(shape: Sequence[object]) -> bool:
    """Whether a state of that shape can be made: 64 MB of numbers at most."""
    sizes = [size for size in shape if isinstance(size, int) and size >= 0]
    return len(sizes) == len(shape) and math.prod(sizes) <= _MOST_STATE


def find_stream_file(model: Path, hop: int, *, sha256: str, threads: int) -> tuple[StreamFile | None, str]:
    """Find the streaming form beside a model file; where there is none that serves, say why.

    Args:
        model: `model.onnx`.
        sha256: of that file as it was opened; another may have taken its place.
        hop: samples of a hop that are asked for.
        threads: as for `StreamFile`.
    """
    path = model.with_name(STREAM_FILE)
    if not path.is_file():
        return None, f"there is no {STREAM_FILE} beside the model"
    file = StreamFile(path, threads=threads)
    if file.model_sha256 != sha256:
        return None, f"{path} belongs to another {model.name}"
    if file.hop != hop:
        return None, f"{path} has hops of {file.hop} samples, {hop} are asked for"
    return file, ""
