"""Sound files: made, read in each way, and in Ogg damaged so that decoders see it."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from fuzz.mutations import Rng
from fuzz.ogg import with_checksums
from fuzz.target import RATE, damage_bytes
from sayso.audio import AudioFormat, clip_from_file, probe
from sayso.errors import SaysoError

__all__ = ["damage_ogg", "made_sounds", "read_sound"]


def made_sounds(*kinds: tuple[str, str, int]) -> Callable[[Path], tuple[bytes, ...]]:
    """Give files of some formats, subtypes and numbers of channels: a third of a second of a tone in noise."""

    def make(folder: Path) -> tuple[bytes, ...]:
        del folder
        time = np.arange(RATE // 3) / RATE
        noise = np.random.default_rng(0).normal(0, 0.02, (len(time), 2))
        sound = 0.4 * np.sin(2 * np.pi * 440 * time)[:, None] * np.hanning(len(time))[:, None] + noise
        return tuple(_encoded(sound[:, :channels], *kind) for *kind, channels in kinds)

    return make


def _encoded(sound: np.ndarray, form: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, RATE, format=form, subtype=subtype)
    return file.getvalue()


def read_sound(path: Path) -> None:
    """Probe it, read it whole, and a part of it; the ways are tried one by one, and the first refusal told at last."""
    refusals: list[Exception] = []
    for read in (
        lambda: probe(path),
        lambda: clip_from_file(path, AudioFormat()),
        lambda: clip_from_file(path, AudioFormat(fit="loudest", clip_seconds=0.1), start_seconds=0.05, end_seconds=0.3),
    ):
        try:
            read()
        except SaysoError as error:
            refusals.append(error)
    if refusals:
        raise refusals[0]


def damage_ogg(content: bytes, rng: Rng, others: tuple[bytes, ...]) -> bytes:
    """Change bytes; in half of the files the pages' checksums are then right again, so that decoders see the damage."""
    changed = damage_bytes(content, rng, others)
    return with_checksums(changed) if rng.random() < 0.5 else changed
