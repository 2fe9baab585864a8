"""Files whose headers do not say how long they are: all the sound where it is there, else one true line."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fuzz.ogg import with_checksums
from sayso.audio import clip_from_file, decode, probe, quantise, read_sound
from sounds_made import ONE_SECOND, RATE, hiss, refusal, sine, write


def with_frames(path: Path, frames: int) -> Path:
    """A FLAC that claims another number of samples; 0 means that it is not known."""
    content = bytearray(path.read_bytes())
    # STREAMINFO holds the number of samples in the low 36 bits of bytes 18 to 25.
    field = int.from_bytes(content[18:26], "big") >> 36 << 36 | frames
    content[18:26] = field.to_bytes(8, "big")
    path.write_bytes(content)
    return path


def with_size(path: Path, size: int, *, riff: int | None = None) -> Path:
    """A WAV whose chunk of data claims another size in bytes."""
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = struct.pack("<I", size)
    content[4:8] = content[4:8] if riff is None else struct.pack("<I", riff)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("samples", [1, 999, 4096, 4097, 5 * RATE])
@pytest.mark.parametrize(("channels", "subtype"), [(1, "PCM_16"), (2, "PCM_24")])
def test_a_piped_flac_is_read_whole(tmp_path: Path, samples: int, channels: int, subtype: str) -> None:
    sound = np.stack([hiss()[:samples]] * channels, axis=1)
    path = write(tmp_path / "a.flac", sound, subtype=subtype)
    wanted, _ = decode(path)
    with_frames(path, 0)
    assert np.array_equal(decode(path)[0], wanted)
    assert probe(path) == (samples / RATE, RATE)
    start = samples // 3
    assert np.array_equal(decode(path, start_seconds=start / RATE)[0], wanted[start:])


@pytest.mark.parametrize("lost", [1, 3_000])
def test_a_piped_flac_that_is_cut_short(tmp_path: Path, lost: int) -> None:
    path = with_frames(write(tmp_path / "a.flac", hiss()), 0)
    path.write_bytes(path.read_bytes()[:-lost])
    assert "cut short" in refusal(path)


def test_a_flac_that_lies_about_its_length(tmp_path: Path) -> None:
    path = with_frames(write(tmp_path / "a.flac", hiss(RATE)), 2**36 - 1)
    assert "cut short" in refusal(path)


@pytest.mark.parametrize("riff", [None, 0, 8, 36, 0xFFFF_FFFF])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_wav_of_no_size_is_read_to_its_end(tmp_path: Path, subtype: str, riff: int | None) -> None:
    path = write(tmp_path / "a.wav", hiss(RATE), subtype=subtype)
    wanted, _ = decode(path)
    with_size(path, 0, riff=riff)
    assert np.array_equal(decode(path)[0], wanted)
    assert probe(path) == (1.0, RATE)


def test_a_wav_without_sound_but_with_remarks_holds_none(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.zeros(0, np.int16))
    with path.open("ab") as file:
        file.write(b"LIST" + struct.pack("<I", 4) + b"INFO")
    assert refusal(path) == "holds no sound"


@pytest.mark.parametrize("more", [8, 36, 44])
def test_a_wav_that_counts_its_header_in_is_read(tmp_path: Path, more: int) -> None:
    path = write(tmp_path / "a.wav", quantise(sine()))
    with_size(path, 2 * RATE + more, riff=2 * RATE + 36 + more)
    assert np.array_equal(clip_from_file(path, ONE_SECOND), quantise(sine()))
    with_size(path, 2 * RATE + 46)
    assert "cut short" in refusal(path)


def bare_mp3(path: Path, sound: NDArray[np.float32], rate: int) -> Path:
    """An MP3 of varying bit rate without the frame that says its length."""
    write(path, sound, rate=rate, bitrate_mode="VARIABLE", compression_level=0.3)
    content = path.read_bytes()
    second = content.index(content[:2], 4)
    assert b"Xing" in content[:second]
    path.write_bytes(content[second:])
    return path


@pytest.mark.parametrize("tag", [b"", b"ID3\x04\0\0\0\0\0\x05abcde"])
@pytest.mark.parametrize("silence_first", [True, False])
@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 1), (22_050, 2), (44_100, 2), (48_000, 1)])
def test_an_mp3_that_does_not_say_its_length_is_read_whole(
    tmp_path: Path, rate: int, channels: int, silence_first: bool, tag: bytes
) -> None:
    parts = [np.zeros(2 * rate), hiss(2 * rate), np.zeros(rate), 0.3 * hiss(rate)]
    sound = np.concatenate(parts if silence_first else parts[::-1]).astype(np.float32)
    path = bare_mp3(tmp_path / "a.mp3", np.stack([sound] * channels, axis=1), rate)
    path.write_bytes(tag + path.read_bytes())
    samples, found_rate = decode(path)
    assert found_rate == rate
    assert len(samples) / rate == pytest.approx(6.0, abs=0.2)
    assert probe(path)[0] == pytest.approx(len(samples) / rate, abs=0.01)
    loud = [float(np.square(each).mean()) for each in np.array_split(samples, 6)]
    where = [2, 3, 5] if silence_first else [0, 2, 3]
    assert sorted(np.argsort(loud)[-3:].tolist()) == where


def test_an_ogg_without_an_end_is_read_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ogg", hiss(), format="OGG", subtype="VORBIS")
    wanted, _ = decode(path)
    content = bytearray(path.read_bytes())
    last = content.rindex(b"OggS")
    content[last + 5] &= ~4
    content[last + 22 : last + 26] = bytes(4)
    content[last + 22 : last + 26] = struct.pack("<I", ogg_checksum(bytes(content[last:])))
    path.write_bytes(content)
    sound = read_sound(path)
    assert np.array_equal(sound.samples, wanted)
    assert list(sound.remarks) == ["its last page is not marked as the last, so that its end may be missing"]


def ogg_checksum(page: bytes) -> int:
    """CRC-32 as RFC 3533 has it: not reflected, from 0."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C1_1DB7 if value >> 31 else value << 1) & 0xFFFF_FFFF
    return value


def test_a_part_of_a_damaged_vorbis_file_does_not_end_the_process(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ogg", hiss(RATE), format="OGG", subtype="VORBIS")
    content = bytearray(path.read_bytes())
    # The second page holds the decoder's code books.
    content[2_000:2_008] = b"\xff" * 8
    path.write_bytes(with_checksums(bytes(content)))
    script = f"from sayso.audio import decode; print(len(decode({str(path)!r}, start_seconds=0.5)[0]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "AudioError" in done.stderr
