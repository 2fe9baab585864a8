"""What a web page is told of a model: onnxruntime-web cannot read what the file says of itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.audio import RESAMPLER
from sayso.config.schema import dump
from sayso.runtime import Recognizer
from sayso.runtime.stream import Stream
from sayso.runtime.stream_curve import StreamCurve
from sayso.runtime.stream_file import STREAM_FILE

__all__ = ["FORMAT_VERSION", "MODEL_JSON", "Described", "describe"]

FORMAT_VERSION = 1
"""Of `model.json`; `facts.js` reads it."""
MODEL_JSON = "model.json"
"""Its name, beside the graph."""


@dataclass(frozen=True)
class Described:
    """A model as a page gets it."""

    facts: dict[str, Any]
    """What `model.json` says."""
    graph: Path
    """The one ONNX file that the page runs; `facts` name it by its file name."""
    notes: tuple[str, ...]
    """What a person should know of it."""


def describe(model: Path) -> Described:
    """Describe a model for `sayso.js`.

    Args:
        model: `model.onnx`, or a run's folder. Where `stream.onnx` lies beside it and serves, the page runs that form.

    Raises:
        ModelError: the file is missing, no model, or one that this version cannot read.
    """
    recognizer = Recognizer(model, threads=1)
    stream = Stream(recognizer)
    settings, audio = stream.settings, recognizer.audio
    file, _ = recognizer.stream_file(settings.hop_samples(audio.sample_rate), threads=1)
    graph = recognizer.path.with_name(STREAM_FILE) if file else recognizer.path
    facts = {
        "format": "sayso-web",
        "format_version": FORMAT_VERSION,
        "labels": list(recognizer.labels),
        "audio": {"sample_rate": audio.sample_rate, "clip_samples": audio.clip_samples, "resampler": RESAMPLER},
        "temperature": recognizer.temperature,
        "threshold": recognizer.threshold,
        "stream": dump(settings),
        "curve": _curve(stream.curve) if stream.curve else None,
        "curve_note": "" if stream.curve else _without_path(stream.curve_note, recognizer.path),
        "credit": recognizer.credit,
        "graph": {
            "file": graph.name,
            "bytes": graph.stat().st_size,
            "form": stream.form,
            "state": [list(part.shape) for part in file.empty] if file else [],
            "hop": file.hop if file else settings.hop_samples(audio.sample_rate),
            "lead": file.lead if file else None,
            "first": file.first if file else None,
        },
    }
    return Described(facts, graph, (stream.note,) if stream.note else ())


def _curve(curve: StreamCurve) -> dict[str, Any]:
    """The curve, each row with its bound; rows are [threshold, alarms an hour, at most so many, share missed]."""
    words = {
        word: [[row.threshold, row.alarms_per_hour, curve.at_most(row), row.miss_share] for row in rows]
        for word, rows in curve.words.items()
    }
    return {
        "words": words,
        "replayed_hours": curve.replayed_hours,
        "independent_hours": curve.independent_hours,
        "background": curve.background,
    }


def _without_path(note: str, path: Path) -> str:
    """The same note of "this model": where it lay on the disk concerns nobody who reads the page."""
    return note.replace(str(path), "This model", 1)
