"""From a sound file to a clip of fixed rate and length: the one path, for training and for answering.

decode (any file that libsndfile reads, and with the extra `media` FFmpeg; channels averaged) -> resample (soxr) -> fit
to length -> quantise to int16.
"""

from sayso.audio.arrays import check_rate, read_array
from sayso.audio.blocks import SoundBlocks
from sayso.audio.container import printable
from sayso.audio.fitting import Fitted, clip_from_file, clip_from_samples, fit_clip, fit_length, tell_clip
from sayso.audio.format import FULL_SCALE, HIGHEST_RATE, LOWEST_RATE, RESAMPLER, AudioFormat, Fit, Samples
from sayso.audio.levels import find_sound, heard, measure_extent, without_clicks, without_offset
from sayso.audio.media import can_read_media
from sayso.audio.reading import Sound, decode, probe, read_sound
from sayso.audio.samples import quantise, resample, to_float
from sayso.audio.scale import count_beyond
from sayso.audio.writing import encode_sound

__all__ = [
    "FULL_SCALE",
    "HIGHEST_RATE",
    "LOWEST_RATE",
    "RESAMPLER",
    "AudioFormat",
    "Fit",
    "Fitted",
    "Samples",
    "Sound",
    "SoundBlocks",
    "can_read_media",
    "check_rate",
    "clip_from_file",
    "clip_from_samples",
    "count_beyond",
    "decode",
    "encode_sound",
    "find_sound",
    "fit_clip",
    "fit_length",
    "heard",
    "measure_extent",
    "printable",
    "probe",
    "quantise",
    "read_array",
    "read_sound",
    "resample",
    "tell_clip",
    "to_float",
    "without_clicks",
    "without_offset",
]
