"""Every kind of file that is fuzzed, by name; what trains is imported where it is asked for."""

from fuzz.sounds import damage_ogg, made_sounds, read_sound
from fuzz.tables import made_table, read_table
from fuzz.target import Target, damage_bytes, damage_text

__all__ = ["NAMES", "QUICK", "open_target"]

_WAV = (
    *(("WAV", "PCM_16", 1), ("WAV", "PCM_24", 2), ("WAV", "FLOAT", 1), ("WAV", "ULAW", 1), ("WAV", "IMA_ADPCM", 1)),
    *(("WAVEX", "PCM_16", 2), ("WAV", "PCM_U8", 1), ("WAV", "DOUBLE", 2)),
)
_FLAC = (("FLAC", "PCM_16", 1), ("FLAC", "PCM_24", 2), ("FLAC", "PCM_S8", 1))
_OGG = (("OGG", "VORBIS", 1), ("OGG", "VORBIS", 2), ("OGG", "OPUS", 1))
_MP3 = (("MP3", "MPEG_LAYER_III", 1), ("MP3", "MPEG_LAYER_III", 2))
_AIFF = (("AIFF", "PCM_16", 1), ("AIFF", "PCM_24", 2), ("AIFF", "FLOAT", 1), ("AIFF", "ULAW", 1))
_LIGHT = {
    "wav": Target("clip.wav", made_sounds(*_WAV), read_sound, damage_bytes),
    "flac": Target("clip.flac", made_sounds(*_FLAC), read_sound, damage_bytes),
    "ogg": Target("clip.ogg", made_sounds(*_OGG), read_sound, damage_ogg),
    "mp3": Target("clip.mp3", made_sounds(*_MP3), read_sound, damage_bytes),
    "aiff": Target("clip.aiff", made_sounds(*_AIFF), read_sound, damage_bytes),
    "csv": Target("clips.csv", made_table("csv"), read_table, damage_text),
    "jsonl": Target("clips.jsonl", made_table("jsonl"), read_table, damage_text),
}
QUICK = tuple(_LIGHT)
"""Those that take a moment."""
NAMES = (*QUICK, "recipe", "onnx", "stream", "safetensors")
"""All of them."""


def open_target(name: str) -> Target:
    """Give a kind of file by its name."""
    if name in _LIGHT:
        return _LIGHT[name]
    if name == "recipe":
        from fuzz.recipes import read_one_recipe, shipped_recipes

        return Target("recipes/fsdd/damaged.yaml", shipped_recipes, read_one_recipe, damage_text)
    from fuzz import models

    if name == "onnx":
        return Target("model.onnx", models.exported, models.answer, models.damage_onnx)
    if name == "stream":
        return Target("stream.onnx", models.streaming_form, models.answer_on_stream, models.damage_onnx)
    return Target("model.safetensors", models.weights, models.answer_by_weights, models.damage_weights)
