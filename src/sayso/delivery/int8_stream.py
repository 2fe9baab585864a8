"""`stream.onnx` as int8, beside the int8 model that it is a form of; left out where it would be worse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sayso.audio import to_float
from sayso.data.corpus import Corpus, Rows
from sayso.delivery.int8_measures import measure_lost, right_in_stream, time_both
from sayso.delivery.model_bytes import with_metadata
from sayso.delivery.quantisation import Feed, quantise, quantised_share
from sayso.runtime import Recognizer
from sayso.runtime.model_file import open_session
from sayso.runtime.stream_file import STREAM_FILE, StreamFile
from sayso.system.files import file_digest

__all__ = ["stream_as_int8"]

_HOPS = 16
_MOST_CHECKED = 300


def stream_as_int8(stream: Path, model: Path, corpus: Corpus, drawn: Rows, checked: Rows, points_lost: float) -> str:
    """Write the streaming form of a run's model as int8, beside the int8 model.

    Args:
        stream: the form in float; it need not be there.
        model: the int8 model, complete.
        corpus: the clips.
        drawn: of those to calibrate by, which one after another are the stream.
        checked: of those on which both forms are compared, each a stream of its own; at most 300 of them.
        points_lost: how many points of accuracy it may lose there.

    Returns:
        Why it was left out, so that streams are answered window by window; empty where it was not, or where the run
        has none either.
    """
    if not stream.is_file():
        return ""
    content, made = stream.read_bytes(), model.with_name(STREAM_FILE)
    why = f"no {STREAM_FILE}, so streams are answered window by window: "
    if not quantised_share(content):
        return f"{why}the float one does not tell its network from its front end, as an earlier Sayso made it"
    quantised = quantise(content, _feeds(stream, corpus, drawn))
    made.write_bytes(with_metadata(quantised, {"model_sha256": file_digest(model)}))
    rows, labels = checked[:: -(-len(checked) // _MOST_CHECKED)], Recognizer(model, threads=1).labels
    one, other = (right_in_stream(path, labels, corpus, rows) for path in (stream, made))
    judged = measure_lost(one, other, corpus, rows)
    in_float, in_int8 = _time_a_hop(stream, made)
    if judged.is_more_than(points_lost):
        why += f"in int8 it loses {100 * judged.lost:.2f} points of accuracy, the limit is {points_lost:g}"
    elif in_int8 > in_float:
        why += f"in int8 a hop takes {in_int8:.2f} ms instead of {in_float:.2f}"
    else:
        return ""
    made.unlink()
    return why


def _feeds(stream: Path, corpus: Corpus, drawn: Rows) -> Iterator[Feed]:
    """Yield chunks that follow one another, each with the state that the float form has come to."""
    session: Any = open_session(stream, threads=0)[0]
    hop = StreamFile(stream, threads=0).hop
    heard, *states = (each.name for each in session.get_inputs())
    given = dict(zip(states, StreamFile(stream, threads=0).empty, strict=True))
    samples = to_float(np.array(corpus.samples[drawn]).ravel())
    for chunks in np.array_split(
        samples[: len(samples) // hop * hop].reshape(-1, hop), -(-len(samples) // hop // _HOPS)
    ):
        yield {heard: chunks, **given}
        given = dict(zip(states, session.run(None, {heard: chunks, **given})[1:], strict=True))


def _time_a_hop(first: Path, second: Path) -> tuple[float, float]:
    """Milliseconds of one hop on one thread, of either form."""
    one, other = (StreamFile(path, threads=1) for path in (first, second))
    chunk = np.zeros((1, one.hop), np.int16)
    return time_both(lambda: one.step(chunk, one.empty), lambda: other.step(chunk, other.empty))
