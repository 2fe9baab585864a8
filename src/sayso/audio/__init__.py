"""From a sound file to a clip of fixed rate and length: the one path, for training and for answering.

decode (any file libsndfile reads, channels averaged) -> resample (soxr) -> fit to length -> quantise to int16.
"""

from sayso.audio.arrays import check_rate, read_array
from sayso.audio.fitting import clip_from_file, clip_from_samples, fit_length
from sayso.audio.format import FULL_SCALE, HIGHEST_RATE, LOWEST_RATE, RESAMPLER, AudioFormat, Fit, Samples
from sayso.audio.reading import Sound, decode, probe, read_sound
from sayso.audio.samples import quantise, resample, to_float
from sayso.audio.scale import count_beyond

__all__ = [
    "FULL_SCALE",
    "HIGHEST_RATE",
    "LOWEST_RATE",
    "RESAMPLER",
    "AudioFormat",
    "Fit",
    "Samples",
    "Sound",
    "check_rate",
    "clip_from_file",
    "clip_from_samples",
    "count_beyond",
    "decode",
    "fit_length",
    "probe",
    "quantise",
    "read_array",
    "read_sound",
    "resample",
    "to_float",
]
