"""Answering with an exported model: numpy, onnxruntime, soundfile and soxr, nothing else."""

from sayso.runtime.recognizer import FORMAT_VERSION, Prediction, Recognizer

__all__ = ["FORMAT_VERSION", "Prediction", "Recognizer"]
