"""Raw sound: every format gives the same samples in whatever pieces it comes, and what is none is told in one line."""

import io
import itertools

import numpy as np
import pytest

from sayso.audio import quantise, to_float
from sayso.errors import AudioError, SettingsError
from sayso.runtime.pcm import PCM_FORMATS, RawInput, open_raw
from streams_made import sound

NUMBERS = quantise(sound(0.05, 8_000))
BYTES = {
    "s16le": NUMBERS.astype("<i2").tobytes(),
    "s16be": NUMBERS.astype(">i2").tobytes(),
    "s24le": (NUMBERS.astype("<i4") << 8).view(np.uint8).reshape(-1, 4)[:, :3].tobytes(),
    "s32le": (NUMBERS.astype("<i4") << 16).tobytes(),
    "f32le": to_float(NUMBERS).astype("<f4").tobytes(),
    "f64le": to_float(NUMBERS).astype("<f8").tobytes(),
    "u8": ((NUMBERS.astype(np.int32) >> 8) + 128).astype(np.uint8).tobytes(),
}


class Pipe(io.BytesIO):
    """Bytes that come a few at a time."""

    def __init__(self, content, sizes=(1, 2, 5, 3)):
        super().__init__(content)
        self._sizes = itertools.cycle(sizes)

    def read1(self, size=-1):
        return self.read(min(size, next(self._sizes)))


def opened(content, pcm_format="s16le", channels=1, told=None):
    tell = (told if told is not None else []).append
    source = Pipe(content)
    return RawInput(source, name="pipe", sample_rate=8000, pcm_format=pcm_format, channels=channels, tell=tell)


def heard(source):
    return np.concatenate(list(source.blocks()))


@pytest.mark.parametrize("pcm_format", PCM_FORMATS)
def test_every_format_gives_the_same_samples(pcm_format):
    found = heard(opened(BYTES[pcm_format], pcm_format))
    assert found.shape == (len(NUMBERS), 1)
    expected = (NUMBERS >> 8) << 8 if pcm_format == "u8" else NUMBERS
    np.testing.assert_array_equal(quantise(found[:, 0]), expected)


def test_arecord_calls_its_formats_otherwise():
    np.testing.assert_array_equal(heard(opened(BYTES["s16le"], "S16_LE"))[:, 0], NUMBERS)


def test_doubles_that_no_float_holds_are_infinite_without_a_word_of_numpy():
    found = heard(opened(np.array([1e300, -1e300, 0.5], "<f8").tobytes(), "f64le"))
    np.testing.assert_array_equal(found[:, 0], [np.inf, -np.inf, 0.5])


def test_channels_stand_side_by_side():
    found = heard(opened(BYTES["s16le"], channels=2))
    np.testing.assert_array_equal(found, NUMBERS.reshape(-1, 2))


def test_an_odd_number_of_bytes_is_told_and_nothing_else_is_lost():
    told: list[str] = []
    np.testing.assert_array_equal(heard(opened(BYTES["s16le"] + b"\1", told=told))[:, 0], NUMBERS)
    assert told == ["pipe ended in the middle of a sample: its last 1 byte is left out"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "pipe: ended before any sound came"),
        (b"\1", "pipe: ended before any sound came"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "pipe: is WAV, must be samples without a header; write raw sound: `arecord"),
        (b"fLaC\0\0\0\x22", "pipe: is FLAC"),
    ],
)
def test_what_is_no_raw_sound_is_refused(content, message):
    with pytest.raises(AudioError, match=message):
        heard(opened(content))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"pcm_format": "s16"}, SettingsError, "--format: is 's16'; did you mean 's16"),
        ({"pcm_format": "wav"}, SettingsError, "--format: is 'wav'; choose from f32le, f64le, s16be"),
        ({"channels": 65}, SettingsError, "--channels: is 65, must be 1 to 64"),
        ({"sample_rate": 12}, AudioError, "--rate is 12, must be 1000 to 768000 Hz"),
    ],
)
def test_what_is_said_of_it_must_fit(options, error, message):
    fits = {"sample_rate": 8000, "pcm_format": "s16le", "channels": 1}
    with pytest.raises(error, match=message):
        RawInput(Pipe(b""), name="pipe", tell=print, **fits | options)


def test_a_place_that_cannot_be_read_is_told(tmp_path):
    for path, why in ((tmp_path / "none.raw", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(AudioError, match=f"{path}: cannot be opened \\({why}"):
            open_raw(str(path), sample_rate=8000, pcm_format="s16le", channels=1, tell=print)
