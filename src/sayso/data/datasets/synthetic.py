"""Words spoken by espeak-ng in many voices: clips without recordings and without network.

espeak-ng (GPL-3, https://github.com/espeak-ng/espeak-ng) is loaded at run time from the package `espeakng-loader`;
it writes into memory only and never opens a sound device.
"""

import ctypes
import importlib.util
import os
import shutil
import tempfile
import threading
import wave
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.audio import to_float
from sayso.config.schema import PositiveInt, did_you_mean, dump
from sayso.data.clips import Clip, Listing
from sayso.data.datasets import DATASETS, DatasetConfig
from sayso.errors import DataError, Fault, MissingExtraError, SettingsError
from sayso.system.files import atomic_folder, cache_folder, digest
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["SAMPLE_RATE", "VARIANTS", "SyntheticConfig", "speak"]

SAMPLE_RATE = 22_050
"""What espeak-ng gives, in hertz."""
ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-us-nyc", "en-029")
VARIANTS = (
    "Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Jacky", "Lee", "Marco", "Mario",
    "Michael", "Mike", "Nguyen", "Reed", "RicishayMax", "RicishayMax2", "Storm", "anika", "announcer", "antonio",
    "aunty", "belinda", "benjamin", "boris", "caleb", "david", "ed", "edward", "f1", "f2", "f3", "f5", "fast",
    "grandma", "grandpa", "gustave", "ian", "iven", "iven2", "iven3", "iven4", "john", "kaukovalta", "klatt",
    "m1", "m2", "m3", "m4", "m5", "m7", "m8", "marcelo", "miguel", "norbert", "pablo", "paul", "pedro", "quincy",
    "rob", "sandro", "shelby", "steph", "travis", "victor", "zac",
)  # fmt: skip
"""Voice models of espeak-ng that differ audibly: robots and whisperers are left out, and so is each whose mean
spectrum of four words is within 0.6 nepers (root mean square) of one before it."""
FORMAT_VERSION = 1
SLOWEST, FASTEST = 80, 450
HIGHEST_PITCH = 99
PITCH_JITTER = 3
QUIETEST_PEAK = 500
SHORTEST_SECONDS = 0.06
MARGIN_SECONDS = 0.02
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_SYNCHRONOUS, _DONT_EXIT, _UTF8 = 2, 1 << 15, 1
_RATE, _PITCH, _INTONATION = 1, 3, 4


@DATASETS.register("synthetic")
@dataclass(frozen=True, kw_only=True)
class SyntheticConfig(DatasetConfig):
    """Words spoken by espeak-ng in many voices, made on this machine; each voice is a speaker."""

    words: tuple[str, ...] = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    """Words to speak; each is a class."""
    texts: tuple[str, ...] = ()
    """What is spoken for each of `words`, in the same order; empty: the words themselves."""
    languages: tuple[str, ...] = ACCENTS
    """Languages or accents of espeak-ng, taken in turn by the voices."""
    voices: PositiveInt = 40
    """How many voices: a voice model x a language x a base pitch; models repeat only after all of them were used."""
    clips_per_voice: PositiveInt = 4
    """Clips of each word by each voice; they differ in rate, pitch and intonation."""
    rate_words_per_minute: tuple[float, ...] = (110.0, 210.0)
    """Slowest and fastest speech, in words a minute, 80 to 450."""
    pitch: tuple[float, ...] = (20.0, 80.0)
    """Lowest and highest base pitch of a voice, on espeak-ng's scale of 0 to 99."""
    seed: int = 0
    """Seed of voices, rates and pitches."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where words, texts, languages, a range or the number of voices cannot be used."""
        yield from _word_faults(self.words)
        if self.texts and len(self.texts) != len(self.words):
            yield Fault(
                "texts", f"has {len(self.texts)} entries, must have one for each of the {len(self.words)} words"
            )
        yield from _range_faults("rate_words_per_minute", self.rate_words_per_minute, SLOWEST, FASTEST)
        bad_pitch = list(_range_faults("pitch", self.pitch, 0, HIGHEST_PITCH))
        yield from bad_pitch
        if not bad_pitch and self.voices > (most := len(VARIANTS) * len(_pitches(self.pitch))):
            yield Fault("voices", f"is {self.voices}, must be at most {most} with this range of pitch")
        if not self.languages:
            yield Fault("languages", "is empty, must name at least one")
        # Without the extra there is nothing to check against; making the clips will say so.
        if importlib.util.find_spec("espeakng_loader") and self.languages != ACCENTS:
            yield from _language_faults(self.languages)

    def location(self) -> Path | None:
        """Give the folder of clips in the cache, when they have been made."""
        folder = self._folder()
        return folder if folder.is_dir() else None

    def listing(self, progress: Progress) -> Listing:
        """List the clips, making them first when they are not in the cache.

        Raises:
            MissingExtraError: `espeakng-loader` is not installed.
            DataError: a word gives no sound.
            OutputError: the cache cannot be written.
        """
        folder = self._folder()
        if not folder.is_dir():
            with atomic_folder(folder) as new:
                self._make(new, progress)
        clips = [clip for word in sorted(self.words) for clip in _clips(folder, word)]
        wanted = len(self.words) * self.voices * self.clips_per_voice
        notes = ["these clips are spoken by a program: expect another score from people"]
        if self.voices > len(VARIANTS):
            notes.append(
                f"{self.voices} voices come from {len(VARIANTS)} voice models: the same model in another accent or "
                "pitch counts as another speaker"
            )
        if len(clips) < wanted:
            notes.append(f"of {counted(wanted, 'clip')} {wanted - len(clips)} came out silent and could not be used")
        return Listing(tuple(clips), notes=tuple(notes))

    def _folder(self) -> Path:
        own = {name: value for name, value in dump(self).items() if name not in DatasetConfig.__dataclass_fields__}
        return cache_folder() / "synthetic" / digest([FORMAT_VERSION, own])[:32]

    def _make(self, folder: Path, progress: Progress) -> None:
        rng = np.random.default_rng(self.seed)
        engine = _Engine()
        texts = self.texts or self.words
        slowest, fastest = self.rate_words_per_minute
        spoken: Counter[str] = Counter()
        for word in self.words:
            (folder / word).mkdir()
        total = self.voices * len(self.words) * self.clips_per_voice
        with progress.task("speaking words", total=total, unit="clips") as task:
            for voice in self._voices(rng):
                engine.choose(voice.language, voice.variant)
                for word, text in zip(self.words, texts, strict=True):
                    for take in range(self.clips_per_voice):
                        rate = round(rng.uniform(slowest, fastest))
                        pitch = voice.pitch + int(rng.integers(-PITCH_JITTER, PITCH_JITTER + 1))
                        samples = engine.say(text, rate=rate, pitch=pitch, intonation=int(rng.integers(30, 71)))
                        if len(samples):
                            path = folder / word / f"{voice.name}_{take:03d}.wav"
                            _write_wav(path, samples)
                            spoken[word] += 1
                    task.advance(self.clips_per_voice)
        if silent := [word for word in self.words if not spoken[word]]:
            names = ", ".join(f"'{word}'" for word in silent)
            raise DataError(f"{names} gave no sound in {', '.join(self.languages)}; give dataset.texts to be spoken")

    def _voices(self, rng: np.random.Generator) -> list["_Voice"]:
        variants, languages = rng.permutation(VARIANTS).tolist(), self.languages
        pitches = _pitches(self.pitch)
        voices: dict[str, _Voice] = {}
        for index in range(self.voices):
            # After each round of models the languages move on by one, so that all pairs are used before one repeats.
            language = languages[(index + index // len(variants)) % len(languages)]
            place = int(rng.integers(len(pitches)))
            voice = _Voice(language, variants[index % len(variants)], pitches[place])
            while voice.name in voices:
                place = (place + 1) % len(pitches)
                voice = _Voice(voice.language, voice.variant, pitches[place])
            voices[voice.name] = voice
        return list(voices.values())


def speak(
    text: str, *, language: str = "en-us", variant: str = "", words_per_minute: int = 160, pitch: int = 50
) -> NDArray[np.float32]:
    """Speak a text, without silence around it.

    Args:
        text: what to say, in the script of the language.
        language: a language or accent of espeak-ng, such as `en-us` or `de`.
        variant: a voice model, such as one of `VARIANTS`; empty: the language's own.
        words_per_minute: rate, 80 to 450.
        pitch: 0 (low) to 99 (high).

    Returns:
        float32 samples in [-1, 1] at `SAMPLE_RATE`, shape (samples,); empty when nothing was said.

    Raises:
        MissingExtraError: `espeakng-loader` is not installed.
        SettingsError: no such language or variant.
    """
    faults = [Fault("language", fault.message) for fault in _language_faults((language,))]
    if faults:
        raise SettingsError(faults)
    engine = _shared_engine()
    with _shared_lock:
        engine.choose(language, variant)
        return to_float(engine.say(text, rate=words_per_minute, pitch=pitch, intonation=50))


@dataclass(frozen=True)
class _Voice:
    language: str
    variant: str
    pitch: int

    @property
    def name(self) -> str:
        return f"{self.language}_{self.variant}_p{self.pitch}"


class _Engine:
    """One espeak-ng with globals of its own.

    The library keeps oscillator and jitter states between words and never resets them; the same words would sound a
    little different after other ones. A private copy of the library starts from nothing, so that what it says depends
    only on what it was asked before.
    """

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError as error:
            raise MissingExtraError("synthetic voices", extra="voices") from error
        self._spoken = bytearray()
        self._data = Path(espeakng_loader.get_data_path())
        self._library = _private_copy(Path(espeakng_loader.get_library_path()))
        # Without the option it would end the whole program when its data cannot be read.
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(self._data), _DONT_EXIT)
        if rate != SAMPLE_RATE:
            raise DataError(f"espeak-ng cannot read its voices in {self._data}; its path may be too long (160 signs)")
        self._collect = _CALLBACK(self._keep)
        self._library.espeak_SetSynthCallback(self._collect)
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self.languages = dict(_languages(self._library))

    def choose(self, language: str, variant: str) -> None:
        """Take a voice: a language that is known, with a variant or none."""
        voice = self.languages.get(language, language) + (f"+{variant}" if variant else "")
        if variant and not (self._data / "voices" / "!v" / variant).is_file():
            raise SettingsError([Fault("variant", f"no voice model '{variant}'; {did_you_mean(variant, VARIANTS)}")])
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise SettingsError([Fault("language", f"espeak-ng has no voice '{voice}'")])

    def say(self, text: str, *, rate: int, pitch: int, intonation: int) -> NDArray[np.int16]:
        """Speak with the chosen voice; int16 without the silence around it, empty when nothing was heard."""
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_INTONATION, intonation)):
            self._library.espeak_SetParameter(parameter, min(max(0, value), FASTEST), 0)
        self._spoken.clear()
        encoded = text.encode()
        self._library.espeak_Synth(encoded, ctypes.c_size_t(len(encoded) + 1), 0, 0, 0, _UTF8, None, None)
        return _trim(np.frombuffer(bytes(self._spoken), dtype=np.int16))

    def _keep(self, samples: object, count: int, events: object) -> int:
        del events
        if samples and count > 0:
            self._spoken += ctypes.string_at(samples, 2 * count)  # type: ignore[arg-type]
        return 0


_shared_lock = threading.Lock()


@cache
def _shared_engine() -> _Engine:
    return _Engine()


def _private_copy(library: Path) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory(prefix="sayso-espeak-", ignore_cleanup_errors=True) as folder:
        # Once loaded it needs its file no more (Windows keeps the file, hence the ignored error).
        return ctypes.CDLL(str(shutil.copy(library, folder)))


class _VoiceRecord(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("rest", ctypes.c_ubyte * 24),
    )


def _languages(library: ctypes.CDLL) -> Iterator[tuple[str, str]]:
    """Yield each language and the name of its voice file, which is what espeak-ng combines with a variant."""
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_VoiceRecord))
    records = library.espeak_ListVoices(None)
    for index in range(10_000):
        if not records[index]:
            return
        record = records[index].contents
        file = record.identifier.decode().rpartition("/")[2]
        # The first byte is the rank of the language for this voice.
        yield record.languages[1:].decode(), file
        yield file.lower(), file


def _language_faults(languages: tuple[str, ...]) -> Iterator[Fault]:
    with _shared_lock:
        known = _shared_engine().languages
    for index, language in enumerate(languages):
        if language not in known:
            yield Fault(f"languages[{index}]", f"no language '{language}'; {did_you_mean(language, known)}")


def _word_faults(words: tuple[str, ...]) -> Iterator[Fault]:
    if not words:
        yield Fault("words", "is empty, must name the words to speak")
    for word, count in Counter(words).items():
        if count > 1:
            yield Fault("words", f"'{word}' stands there {count} times")
        if not word.strip() or word.startswith(".") or {"/", "\\", "\0"} & set(word):
            yield Fault("words", f"{word!r} cannot name a folder; use `texts` for what is spoken")


def _range_faults(name: str, limits: tuple[float, ...], least: float, most: float) -> Iterator[Fault]:
    if len(limits) != 2 or not least <= limits[0] <= limits[1] <= most:
        yield Fault(name, f"is {list(limits)}, must be [lowest, highest] within {least:g} and {most:g}")


def _pitches(limits: tuple[float, ...]) -> range:
    return range(round(limits[0]), round(limits[1]) + 1)


def _trim(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """Cut the silence at both ends; a silent or too short result becomes empty."""
    loud = np.abs(samples.astype(np.int32))
    peak = loud.max(initial=0)
    heard = np.flatnonzero(loud > peak / 200)
    if peak < QUIETEST_PEAK or heard[-1] - heard[0] < SHORTEST_SECONDS * SAMPLE_RATE:
        return np.zeros(0, np.int16)
    margin = round(MARGIN_SECONDS * SAMPLE_RATE)
    return samples[max(0, heard[0] - margin) : heard[-1] + margin]


def _write_wav(path: Path, samples: NDArray[np.int16]) -> None:
    # libsndfile waits for the disk at each close, which here would take twice as long as the speaking.
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.astype("<i2").tobytes())


def _clips(folder: Path, word: str) -> Iterator[Clip]:
    base = str(folder / word)
    for name in sorted(os.listdir(base)):  # noqa: PTH208 - names are enough
        yield Clip(f"{base}{os.sep}{name}", word, name.rpartition("_")[0])
