"""Faults planted into real clips by a seeded script: faulty copies are written, the clips stay as they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from sayso.audio import decode, resample
from sayso.data.clips import Clip
from sayso.data.faults.detector import LEAST_OF_GROUP, Values, spread
from sayso.data.faults.recording import FRAME_SECONDS, Recording

__all__ = ["KINDS", "Planted", "plant"]

Wave = NDArray[np.float32]
Rng = np.random.Generator
# A clip that is faint, flat or tiny already is no ground to plant another fault on.
_LEAST_PEAK, _LEAST_CONTRAST_DB, _LEAST_SECONDS = 0.02, 15.0, 0.15
_COMPARED = 200


@dataclass(frozen=True)
class Planted:
    """The clips with faults among them."""

    clips: tuple[Clip, ...]
    faults: dict[str, str]
    """Path of each planted file to its kind of fault."""
    twins: dict[str, str]
    """Path of each planted copy to the clip that it repeats, which is neither clean nor planted."""


def plant(clips: Sequence[Clip], folder: Path, *, count: int, seed: int) -> Planted:
    """Plant `count` faults, the kinds in equal numbers; a copy is added, any other fault takes its clip's place."""
    rng = np.random.default_rng(seed)
    order = iter(rng.permutation(len(clips)))
    given, added = list(clips), list[Clip]()
    faults: dict[str, str] = {}
    twins: dict[str, str] = {}
    words = sorted({clip.label for clip in clips})
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        row, sound = _good_ground(clips, order)
        clip, path = clips[row], folder / f"{seed}_{number}.wav"
        if kind == "loudness":
            _loudness(sound, path, rng, _levels_db(clips, clip, rng))
        else:
            _CHANGES[kind](sound, path, rng)
        label = clip.label
        if kind == "mislabels" or (kind == "near-duplicates" and rng.random() < 0.3):
            label = str(rng.choice([word for word in words if word != label]))
        faulty = replace(clip, path=str(path), label=label)
        faults[str(path)] = kind
        if kind == "near-duplicates":
            twins[str(path)] = clip.path
            added.append(faulty)
        else:
            given[row] = faulty
    return Planted((*given, *added), faults, twins)


def _good_ground(clips: Sequence[Clip], order: "object") -> tuple[int, Recording]:
    for row in order:  # type: ignore[attr-defined]
        sound = Recording(*decode(clips[row].path))
        contrast_db = sound.speech_db - sound.floor_db
        if (
            np.abs(sound.samples).max() > _LEAST_PEAK
            and contrast_db > _LEAST_CONTRAST_DB
            and sound.speech_seconds > _LEAST_SECONDS
        ):
            return int(row), sound
    raise ValueError("too few clips to plant on")


def _levels_db(clips: Sequence[Clip], clip: Clip, rng: Rng) -> Values:
    """Levels of some of the speaker's other clips, or of anybody's where the speaker has few."""
    own = [one for one in clips if clip.speaker is not None and one.speaker == clip.speaker]
    known = own if len(own) >= LEAST_OF_GROUP else clips
    chosen = rng.choice(len(known), min(len(known), _COMPARED), replace=False)
    return np.array([Recording(*decode(known[row].path)).speech_db for row in chosen])


def _write(path: Path, samples: Wave, rate: int) -> None:
    soundfile.write(path, np.clip(samples, -1, 1), rate, subtype="PCM_16")


def _noise(count: int, level_db: float, rng: Rng) -> Wave:
    return (rng.standard_normal(count) * 10 ** (level_db / 20)).astype(np.float32)


def _silence(sound: Recording, path: Path, rng: Rng) -> None:
    """Digital silence, faint noise, or the quietest tenth of a second over and over."""
    count, variant = len(sound.samples), rng.integers(3)
    silent = np.zeros(count, np.float32) if variant == 0 else _noise(count, rng.uniform(-80, -62), rng)
    if variant == 2:
        first = int(np.convolve(sound.levels_db, np.ones(10), "valid").argmin())
        size = round(FRAME_SECONDS * sound.sample_rate)
        quiet = sound.samples[first * size : (first + 10) * size]
        # A clip without a pause has no background to loop.
        if 10 * np.log10(np.mean(quiet**2) + 1e-10) < sound.speech_db - 25:
            silent = np.tile(np.concatenate((quiet, quiet[::-1])), count // len(quiet) + 1)[:count]
    _write(path, silent, sound.sample_rate)


def _clipping(sound: Recording, path: Path, rng: Rng) -> None:
    """3 to 12 % of the samples cut flat, at full scale or below."""
    limit = np.quantile(np.abs(sound.samples), 1 - rng.uniform(0.03, 0.12))
    clipped = np.clip(sound.samples, -limit, limit) / limit
    _write(path, clipped * rng.uniform(0.3, 1.0), sound.sample_rate)


def _cut_off(sound: Recording, path: Path, rng: Rng) -> None:
    """20 to 60 % of the speech cut away at one side, at a place where the word is loud."""
    first, end = sound.speech_frames
    places = np.arange(first + round(0.2 * (end - first)), first + round(0.6 * (end - first)) + 1)
    at_end = rng.random() < 0.5
    if at_end:
        places = first + end - places
    places = np.clip(places, 2, len(sound.levels_db) - 3)
    # A cut in a closure leaves no trace that a level could show.
    beside = places[:, None] + (np.array([-2, -1]) if at_end else np.array([0, 1]))
    loud = places[sound.levels_db[beside].mean(axis=1) > sound.speech_db - 8]
    place = int(rng.choice(loud if len(loud) else places[[sound.levels_db[places].argmax()]]))
    sample = place * round(FRAME_SECONDS * sound.sample_rate)
    _write(path, sound.samples[:sample] if at_end else sound.samples[sample:], sound.sample_rate)


def _wrong_rate(sound: Recording, path: Path, rng: Rng) -> None:
    """Twice or half the speed: another rate in the header, or the set's own rate for samples of another."""
    faster = rng.random() < 0.5
    played = sound.sample_rate * 2 if faster else sound.sample_rate // 2
    if rng.random() < 0.5:
        _write(path, sound.samples, played)
    else:
        _write(path, resample(sound.samples, played, sound.sample_rate), sound.sample_rate)


def _band_limited(sound: Recording, path: Path, rng: Rng) -> None:
    """Nothing above 2.6 to 3.4 kHz, or at low rates above 40 to 55 % of the band."""
    half = sound.sample_rate / 2
    highest = min(3400.0, 0.55 * half)
    rate = round(2 * rng.uniform(0.75, 1.0) * highest)
    _write(path, resample(resample(sound.samples, sound.sample_rate, rate), rate, sound.sample_rate), sound.sample_rate)


def _loudness(sound: Recording, path: Path, rng: Rng, others_db: Values) -> None:
    """An outlier: 4 to 5 deviations, and at least 20 dB, above the others where there is room for it, else below."""
    middle, apart = float(np.median(others_db)), max(20.0, rng.uniform(4, 5) * spread(others_db))
    room_db = -20 * np.log10(float(np.abs(sound.samples).max()))
    louder_db = middle + apart - sound.speech_db
    gain_db = louder_db if louder_db < room_db else middle - apart - sound.speech_db
    _write(path, sound.samples * np.float32(10 ** (gain_db / 20)), sound.sample_rate)


def _length(sound: Recording, path: Path, rng: Rng) -> None:
    """The word three or four times over, a long pause in the middle, or a click of 30 to 60 ms."""
    variant, rate = rng.integers(3), sound.sample_rate
    size = round(FRAME_SECONDS * rate)
    first, end = (frame * size for frame in sound.speech_frames)
    if variant == 0:
        changed = np.tile(sound.samples, int(rng.integers(3, 5)))
    elif variant == 1:
        middle = (first + end) // 2
        pause = _noise(round(rng.uniform(1.5, 3) * rate), sound.floor_db - 6, rng)
        changed = np.concatenate((sound.samples[:middle], pause, sound.samples[middle:]))
    else:
        kept = round(rng.uniform(0.03, 0.06) * rate)
        loudest = max(0, int(sound.levels_db.argmax()) * size - kept // 2)
        changed = np.pad(
            sound.samples[loudest : loudest + kept] * np.hanning(kept)[: len(sound.samples) - loudest], size
        )
    _write(path, changed.astype(np.float32), rate)


def _copy(sound: Recording, path: Path, rng: Rng) -> None:
    """The same samples; at another rate; up to 50 ms later or earlier; 3 to 9 dB softer; through a lossy code."""
    variant, samples, rate = rng.integers(5), sound.samples, sound.sample_rate
    if variant == 1:
        other = int(rng.choice([rate * 3 // 4, 11_025, 22_050]))
        samples, rate = resample(samples, rate, other), other
    elif variant == 2:
        moved = round(rng.uniform(0.005, 0.05) * rate)
        samples = np.pad(samples, (moved, 0)) if rng.random() < 0.5 else samples[moved:]
    elif variant == 3:
        samples = samples * np.float32(10 ** (-rng.uniform(3, 9) / 20))
    elif variant == 4:
        lossy = path.with_suffix(".ogg")
        soundfile.write(lossy, samples, rate, format="OGG", subtype="VORBIS")
        samples, rate = decode(lossy)
    _write(path, samples, rate)


def _as_it_is(sound: Recording, path: Path, rng: Rng) -> None:
    """A true recording; its label is to be wrong."""
    del rng
    _write(path, sound.samples, sound.sample_rate)


_CHANGES: dict[str, Callable[[Recording, Path, Rng], None]] = {
    "silence": _silence,
    "clipping": _clipping,
    "cut-off": _cut_off,
    "wrong-rate": _wrong_rate,
    "band-limited": _band_limited,
    "length": _length,
    "near-duplicates": _copy,
    "mislabels": _as_it_is,
}
KINDS = (*_CHANGES, "loudness")
"""Every kind of fault, by the name of the detector that is to find it."""
