"""Speech by espeak-ng: words spoken in many voices, without recordings and without network.

espeak-ng (GPL-3, https://github.com/espeak-ng/espeak-ng) is loaded at run time from the package `espeakng-loader`;
it writes into memory only and never opens a sound device.
"""

import ctypes
import importlib.util
import os
import platform
import shutil
import tempfile
import threading
import wave
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.audio import to_float
from sayso.config.schema import did_you_mean
from sayso.errors import DataError, Fault, MissingExtraError, SettingsError

__all__ = [
    "ACCENTS",
    "SAMPLE_RATE",
    "VARIANTS",
    "Espeak",
    "find_language_faults",
    "is_installed",
    "shared_espeak",
    "speak",
    "write_clip",
]

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
SLOWEST, FASTEST = 80, 450
"""In words a minute."""
HIGHEST_PITCH = 99
_QUIETEST_PEAK = 500
_SHORTEST_SECONDS = 0.06
_MARGIN_SECONDS = 0.02
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_SYNCHRONOUS, _DONT_EXIT, _UTF8 = 2, 1 << 15, 1
_RATE, _PITCH, _INTONATION = 1, 3, 4
_IPA = 2


def is_installed() -> bool:
    """Whether espeak-ng is here."""
    return importlib.util.find_spec("espeakng_loader") is not None


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
    faults = [Fault("language", fault.message) for fault in find_language_faults((language,))]
    if faults:
        raise SettingsError(faults)
    with shared_espeak() as engine:
        engine.choose(language, variant)
        return to_float(engine.say(text, rate=words_per_minute, pitch=pitch, intonation=50))


def find_language_faults(languages: Sequence[str]) -> Iterator[Fault]:
    """Yield a fault for each language that espeak-ng lacks, or where there is none.

    Where it is not installed there is nothing to check against; speaking will say so.
    """
    if not languages:
        yield Fault("languages", "is empty, must name at least one")
    # The default needs no look at what there is.
    if is_installed() and tuple(languages) != ACCENTS:
        with shared_espeak() as engine:
            known = engine.languages
        for index, language in enumerate(languages):
            if language not in known:
                yield Fault(f"languages[{index}]", f"no language '{language}'; {did_you_mean(language, known)}")


class Espeak:
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
        self._chance = _Chance()
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
        encoded = text.encode(errors="replace")
        with self._chance.drawn_from():
            self._library.espeak_Synth(encoded, ctypes.c_size_t(len(encoded) + 1), 0, 0, 0, _UTF8, None, None)
        return _trim(np.frombuffer(bytes(self._spoken), dtype=np.int16))

    def spell(self, text: str) -> str:
        """Give the phonemes of a text in the chosen voice's language, in IPA, as espeak-ng writes them."""
        encoded = ctypes.create_string_buffer(text.encode(errors="replace"))
        rest = ctypes.c_void_p(ctypes.addressof(encoded))
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        spelt: list[str] = []
        while rest.value:
            spelt.append((self._library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA) or b"").decode())
        return " ".join(spelt)

    def _keep(self, samples: object, count: int, events: object) -> int:
        del events
        if samples and count > 0:
            self._spoken += ctypes.string_at(samples, 2 * count)  # type: ignore[arg-type]
        return 0


class _Chance:
    """Random numbers of one espeak-ng: breathy voices draw the C library's own, as any code in the process may.

    GNU's library lets them lie apart, so that nobody else's drawing changes a sound; others begin them at 1 at least.
    """

    _STATE_BYTES = 128  # what the library's own state has, so that the numbers are those of srand(1)
    _drawing = threading.Lock()

    def __init__(self) -> None:
        self._state = None
        if os.name == "nt":
            return
        self._library = ctypes.CDLL(None)
        if platform.libc_ver()[0] != "glibc":
            self._library.srand(1)
            return
        for function in (self._library.initstate, self._library.setstate):
            function.restype = ctypes.c_void_p
        self._state = ctypes.create_string_buffer(self._STATE_BYTES)
        with self._drawing:
            others = self._library.initstate(1, self._state, ctypes.c_size_t(self._STATE_BYTES))
            self._library.setstate(ctypes.c_void_p(others))

    @contextmanager
    def drawn_from(self) -> Generator[None]:
        """Have the C library draw from these numbers."""
        if self._state is None:
            yield
            return
        with self._drawing:
            others = self._library.setstate(self._state)
            try:
                yield
            finally:
                self._library.setstate(ctypes.c_void_p(others))


_shared_lock = threading.Lock()


@cache
def _shared() -> Espeak:
    return Espeak()


@contextmanager
def shared_espeak() -> Generator[Espeak]:
    """Lend the one espeak-ng of this process, for what does not hang on what was said before.

    Raises:
        MissingExtraError: it is not installed.
    """
    with _shared_lock:
        yield _shared()


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


def write_clip(path: Path, samples: NDArray[np.int16]) -> None:
    """Write a WAV file of speech."""
    # libsndfile waits for the disk at each close, which here would take twice as long as the speaking.
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.astype("<i2").tobytes())


def _trim(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """Cut the silence at both ends; a silent or too short result becomes empty."""
    loud = np.abs(samples.astype(np.int32))
    peak = loud.max(initial=0)
    heard = np.flatnonzero(loud > peak / 200)
    if peak < _QUIETEST_PEAK or heard[-1] - heard[0] < _SHORTEST_SECONDS * SAMPLE_RATE:
        return np.zeros(0, np.int16)
    margin = round(_MARGIN_SECONDS * SAMPLE_RATE)
    return samples[max(0, heard[0] - margin) : heard[-1] + margin]
