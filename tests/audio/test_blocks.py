"""A file read block by block is the file read at once, whatever its kind; and is refused for the same reasons."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sayso.audio import SoundBlocks, read_sound
from sayso.errors import AudioError
from sounds_made import RATE, hiss, sine, write

TONE, OTHER = sine(440, seconds=2.3), sine(613, seconds=2.3)
PAIR = np.stack([TONE, 0.3 * OTHER], axis=1)
KINDS = {
    "mono.wav": (TONE, {}),
    "8-bit.wav": (TONE, {"subtype": "PCM_U8"}),
    "24-bit.wav": (PAIR, {"subtype": "PCM_24"}),
    "float.wav": (1.5 * TONE, {"subtype": "FLOAT"}),
    "int16-as-float.wav": (np.rint(20_000 * TONE), {"subtype": "FLOAT"}),
    "double-pair.wav": (PAIR, {"subtype": "DOUBLE"}),
    "mirror.wav": (np.stack([0.95 * TONE, -TONE], axis=1), {}),
    "five.wav": (np.stack([sine(300 * (1 + channel), seconds=2.3) for channel in range(5)], axis=1), {}),
    "mono.flac": (TONE, {}),
    "pair.flac": (PAIR, {"subtype": "PCM_24"}),
    "mono.ogg": (TONE, {}),
    "pair.ogg": (PAIR, {}),
    "mono.mp3": (TONE, {}),
    "pair.mp3": (PAIR, {}),
    "mono.aiff": (TONE, {}),
    "other-rate.w64": (TONE, {"rate": 44_100}),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("block_seconds", [0.0371, 30.0])
def test_blocks_are_the_whole_file(tmp_path: Path, name: str, block_seconds: float) -> None:
    samples, options = KINDS[name]
    path = write(tmp_path / name, samples, **options)
    whole = read_sound(path)
    blocks = SoundBlocks(path, block_seconds=block_seconds)
    found = list(blocks)
    assert len(found) == -(-len(whole.samples) // max(1, round(block_seconds * blocks.sample_rate)))
    together = np.concatenate(found)
    assert together.dtype == whole.samples.dtype
    # libmpg123 rounds its last digit otherwise from one reading to the next.
    np.testing.assert_allclose(together, whole.samples, rtol=0, atol=1e-6 if name.endswith("mp3") else 0)
    assert blocks.seconds == len(whole.samples) / blocks.sample_rate
    assert (blocks.name, blocks.sample_rate) == (whole.name, whole.sample_rate)
    assert list(blocks.read.remarks) == list(whole.remarks)
    # And once more from the beginning.
    np.testing.assert_allclose(np.concatenate(list(blocks)), together, rtol=0, atol=1e-6)


def test_what_was_done_is_told(tmp_path: Path) -> None:
    told = {name: SoundBlocks(write(tmp_path / name, KINDS[name][0], **KINDS[name][1])) for name in KINDS}
    for blocks in told.values():
        list(blocks)
    assert told["int16-as-float.wav"].read.was_int16
    assert told["mirror.wav"].read.channel == 1
    assert told["pair.flac"].read.channel is None


def bare_length(path: Path) -> Path:
    """Take the number of samples out of a FLAC's head, as a program that writes to a pipe leaves it."""
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    return path


def test_a_length_that_is_not_said_is_found(tmp_path: Path) -> None:
    path = bare_length(write(tmp_path / "a.flac", hiss()))
    np.testing.assert_array_equal(np.concatenate(list(SoundBlocks(path))), read_sound(path).samples)
    assert SoundBlocks(path).seconds == 5.0


def broken(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / "a.wav"
    late = np.concatenate((hiss(3 * RATE), np.full(10, {"nan": np.nan, "scale": 400.5}.get(kind, 0.0), np.float32)))
    if kind in ("nan", "scale"):
        return write(path, late, subtype="FLOAT")
    if kind == "text":
        path.write_text("no sound")
    elif kind == "cut":
        content = write(path, hiss()).read_bytes()
        path.write_bytes(content[:-30_000])
    elif kind == "cut flac":
        path = write(tmp_path / "a.flac", hiss())
        path.write_bytes(path.read_bytes()[:-30_000])
    elif kind == "empty":
        write(path, np.zeros(0, np.float32))
    elif kind == "rate":
        write(path, hiss(), rate=700)
    return path


@pytest.mark.parametrize("kind", ["none", "text", "cut", "cut flac", "empty", "nan", "scale", "rate"])
def test_what_is_no_sound_is_refused_in_the_same_words(tmp_path: Path, kind: str) -> None:
    path = broken(tmp_path, kind)
    with pytest.raises(AudioError) as whole:
        read_sound(path)
    with pytest.raises(AudioError) as blocks:
        list(SoundBlocks(path, block_seconds=0.5))
    assert str(blocks.value) == str(whole.value)


def test_numbers_that_are_none_are_found_before_the_first_block(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="not numbers"):
        next(iter(SoundBlocks(broken(tmp_path, "nan"), block_seconds=0.5)))


@pytest.mark.parametrize("channels", [1, 2])
def test_listening_may_go_on_with_silence_for_numbers_that_are_none(tmp_path: Path, channels: int) -> None:
    samples = np.repeat(hiss(3 * RATE)[:, None], channels, axis=1)
    samples[[77, 40_000], 0] = np.nan, np.inf
    path = write(tmp_path / "a.wav", samples, subtype="FLOAT")
    blocks = SoundBlocks(path, block_seconds=0.5, goes_on=True)
    for _ in range(2):
        whole = np.concatenate(list(blocks))
        np.testing.assert_array_equal(whole, np.where(np.isfinite(samples), samples, 0).mean(axis=1, dtype=np.float32))
        assert list(blocks.read.remarks) == ["2 samples that are no number (NaN or infinite) became silence"]


def peak_bytes(path: Path) -> int:
    tracemalloc.start()
    for _ in SoundBlocks(path, block_seconds=1.0):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("name", ["a.wav", "a.mp3"])
def test_a_longer_file_takes_no_more_memory(tmp_path: Path, name: str) -> None:
    short = peak_bytes(write(tmp_path / f"short-{name}", np.tile(PAIR, (2, 1))))
    long = peak_bytes(write(tmp_path / f"long-{name}", np.tile(PAIR, (26, 1))))
    assert long < 1.1 * short
    assert soundfile.info(tmp_path / f"long-{name}").duration > 59
