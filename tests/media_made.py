"""Files of the kinds that the extra `media` reads, written by PyAV."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

__all__ = ["write_media", "write_video"]


def write_media(
    path: Path, samples: NDArray[Any], *, rate: int, codec: str, bit_rate: int = 0, pictures: int = 0, **options: str
) -> Path:
    """Write samples, (samples,) or (samples, channels); `pictures` of 40 ms each make a video of it."""
    av = pytest.importorskip("av", reason="needs the extra media")
    frames = samples if samples.ndim == 2 else samples[:, None]
    layout = "mono" if frames.shape[1] == 1 else "stereo"
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if bit_rate:
            stream.bit_rate = bit_rate
        if pictures:
            _add_pictures(av, container, pictures)
        kind = "s16p" if samples.dtype == np.int16 else "fltp"
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(frames.T), format=kind, layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_video(path: Path, *, pictures: int = 25) -> Path:
    """Write a video without sound."""
    av = pytest.importorskip("av", reason="needs the extra media")
    with av.open(str(path), "w") as container:
        _add_pictures(av, container, pictures)
    return path


def _add_pictures(av: Any, container: Any, count: int) -> None:
    stream = container.add_stream("mpeg4", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    for index in range(count):
        picture = np.full((48, 64, 3), 10 * index % 256, np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    container.mux(stream.encode(None))
