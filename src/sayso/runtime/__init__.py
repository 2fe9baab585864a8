"""Answering with an exported model: numpy, onnxruntime, soundfile and soxr, nothing else."""

from sayso.runtime.model_file import FORMAT_VERSION
from sayso.runtime.recognizer import Prediction, Recognizer
from sayso.runtime.stream import Detection, Judgement, Stream
from sayso.runtime.stream_settings import StreamSettings, WordThreshold

__all__ = [
    "FORMAT_VERSION",
    "Detection",
    "Judgement",
    "Prediction",
    "Recognizer",
    "Stream",
    "StreamSettings",
    "WordThreshold",
]
