"""Kinds of files that phones' recorders and browsers write, against the samples they were made of."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import correlate, sosfilt

from media_made import write_media, write_video
from sayso.audio import clip_from_file, decode, probe, read_sound, resample
from sayso.errors import AudioError
from sounds_made import ONE_SECOND, RATE, hiss, refusal, sine, write

pytest.importorskip("av", reason="needs the extra media")

# Ending, codec, rate.
EXACT = [
    ("m4a", "aac", 16_000),
    ("m4a", "aac", 44_100),
    ("mp4", "aac", 48_000),
    ("m4b", "aac", 22_050),
    ("3gp", "aac", 16_000),
    ("m4a", "alac", 44_100),
    ("mov", "pcm_s16le", 16_000),
    ("mov", "pcm_s24le", 48_000),
    ("mov", "pcm_f32le", 16_000),
    ("caf", "alac", 44_100),
    ("webm", "libopus", 48_000),
    ("mka", "libopus", 48_000),
    ("mkv", "pcm_s16le", 16_000),
]
# Nothing says what was put before and behind: up to two blocks, in samples.
FRAMED = [
    ("aac", "aac", 16_000, 2 * 1024),
    ("amr", "libopencore_amrnb", 8_000, 2 * 160),
    ("wma", "wmav2", 44_100, 2 * 2048),
]
DAMAGED = "damaged, cut short, or protected: "


def voice(rate: int, seconds: float = 1.2345) -> NDArray[np.float32]:
    """A tone that rises within what 8 kHz hold, and some breath, so that it fits in one place only."""
    times = np.arange(round(seconds * rate)) / rate
    breath = sosfilt([[0.02, 0.04, 0.02, 1, -1.56, 0.64]], hiss(len(times))) * 0.2
    return (0.4 * np.sin(2 * np.pi * 300 * times * (1 + 0.3 * times)) + breath).astype(np.float32)


def likeness(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> tuple[int, float]:
    """By how many samples a sound is late, and how alike it is then, 1 being the same."""
    late = int(correlate(found, wanted).argmax()) - len(wanted) + 1
    moved = found[max(0, late) :][: len(wanted)]
    source = wanted[max(0, -late) :][: len(moved)]
    return late, float(np.corrcoef(moved[: len(source)], source)[0, 1])


@pytest.mark.parametrize(("ending", "codec", "rate"), EXACT)
def test_length_and_place_are_those_of_the_source(tmp_path: Path, ending: str, codec: str, rate: int) -> None:
    wanted = voice(rate)
    path = write_media(tmp_path / f"a.{ending}", wanted, rate=rate, codec=codec)
    found, found_rate = decode(path)
    assert (len(found), found_rate) == (len(wanted), rate)
    late, alike = likeness(found, wanted)
    assert late == 0
    assert alike > 0.99
    assert probe(path) == (pytest.approx(len(wanted) / rate, abs=0.01), rate)
    assert list(read_sound(path).remarks) == []


@pytest.mark.parametrize(("ending", "codec", "rate", "filled"), FRAMED)
def test_without_such_words_it_is_late_and_filled_by_no_more_than_two_blocks(
    tmp_path: Path, ending: str, codec: str, rate: int, filled: int
) -> None:
    wanted = voice(rate)
    path = write_media(
        tmp_path / f"a.{ending}", wanted, rate=rate, codec=codec, bit_rate=12_200 if rate < 9000 else 64_000
    )
    found, found_rate = decode(path)
    assert found_rate == rate
    assert abs(len(found) - len(wanted)) <= filled
    late, alike = likeness(found, wanted)
    assert abs(late) <= filled
    assert alike > 0.9
    assert probe(path)[0] == pytest.approx(len(found) / rate, abs=0.05)


def test_amr_in_3gp_as_older_phones_write_it(tmp_path: Path) -> None:
    wanted = voice(8000)
    path = write_media(tmp_path / "a.3gp", wanted, rate=8000, codec="libopencore_amrnb", bit_rate=12_200)
    found, rate = decode(path)
    assert rate == 8000
    assert abs(len(found) - len(wanted)) <= 160
    late, alike = likeness(found, wanted)
    assert abs(late) <= 160
    assert alike > 0.9


def test_opus_gives_48_khz_whatever_it_was_made_of(tmp_path: Path) -> None:
    wanted = voice(RATE)
    found, rate = decode(write_media(tmp_path / "a.webm", wanted, rate=RATE, codec="libopus"))
    assert rate == 48_000
    assert likeness(resample(found, rate, RATE), wanted)[1] > 0.99


def test_int16_stays_as_it_is(tmp_path: Path) -> None:
    wanted = np.random.default_rng(0).integers(-32768, 32768, RATE).astype(np.int16)
    path = write_media(tmp_path / "a.mov", wanted, rate=RATE, codec="pcm_s16le")
    assert np.array_equal(clip_from_file(path, ONE_SECOND), wanted)


def test_channels_are_averaged_or_the_loudest_is_taken(tmp_path: Path) -> None:
    left, right = sine(300), sine(700)
    both = decode(
        write_media(tmp_path / "a.m4a", np.stack([left, right], 1), rate=RATE, codec="aac", bit_rate=128_000)
    )[0]
    assert likeness(both, (left + right) / 2)[1] > 0.99
    against = write_media(tmp_path / "b.mov", np.stack([left, -left], 1), rate=RATE, codec="pcm_s16le")
    assert read_sound(against).channel == 0
    assert np.abs(decode(against)[0] - left).max() < 1e-4


@pytest.mark.parametrize(
    ("ending", "codec", "rate"),
    [("m4a", "aac", 44_100), ("webm", "libopus", 48_000), ("amr", "libopencore_amrnb", 8_000), ("aac", "aac", 16_000)],
)
@pytest.mark.parametrize(
    ("start", "end"), [(None, 0.3), (0.1, 0.9), (3.25, 4.0), (4.5, None), (4.5, 99.0), (-1.0, 99.0)]
)
def test_a_part_is_what_the_whole_holds_there(
    tmp_path: Path, ending: str, codec: str, rate: int, start: float | None, end: float | None
) -> None:
    path = write_media(tmp_path / f"a.{ending}", voice(rate, 5.0), rate=rate, codec=codec)
    whole, _ = decode(path)
    wanted = whole[round(max(0.0, start or 0.0) * rate) : None if end is None else round(end * rate)]
    part, _ = decode(path, start_seconds=start, end_seconds=end)
    assert len(part) == len(wanted)
    assert np.corrcoef(part, wanted)[0, 1] > 0.999
    assert refusal(path, start_seconds=9.0) == "holds no sound between start and end"


def test_of_a_video_the_sound_is_taken(tmp_path: Path) -> None:
    for ending in ("mp4", "mov", "mkv"):
        wanted = voice(RATE)
        # The pictures last longer than the sound, which is no damage.
        path = write_media(tmp_path / f"a.{ending}", wanted, rate=RATE, codec="aac", pictures=75)
        assert likeness(decode(path)[0], wanted)[1] > 0.99
        assert probe(path)[0] < 1.4
        assert refusal(write_video(tmp_path / f"b.{ending}")) == "holds no sound, it is a video without any"


@pytest.mark.parametrize(("ending", "codec", "rate"), [*EXACT, ("aac", "aac", 16_000)])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_cut_short_is_one_line_and_nothing_on_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], ending: str, codec: str, rate: int, share: float
) -> None:
    content = write_media(tmp_path / f"a.{ending}", voice(rate), rate=rate, codec=codec).read_bytes()
    capfd.readouterr()
    path = tmp_path / f"cut.{ending}"
    path.write_bytes(content[: round(share * len(content))])
    line = refusal(path)
    assert line == "cut short, the file ends before its sound does" or line.startswith(DAMAGED)
    assert capfd.readouterr() == ("", "")


def test_amr_that_ends_within_a_block_is_cut_short(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.amr", voice(8000), rate=8000, codec="libopencore_amrnb")
    path.write_bytes(path.read_bytes()[:-5])
    assert refusal(path).startswith(DAMAGED)


def test_a_file_whose_header_comes_first_is_cut_short_too(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.m4a", voice(RATE), rate=RATE, codec="aac", movflags="faststart")
    path.write_bytes(path.read_bytes()[:-1500])
    assert refusal(path).startswith(DAMAGED)


@pytest.mark.parametrize("ending", ["m4a", "webm"])
def test_damage_in_the_middle_is_one_line(tmp_path: Path, ending: str) -> None:
    path = write_media(
        tmp_path / f"a.{ending}", voice(48_000), rate=48_000, codec={"m4a": "aac", "webm": "libopus"}[ending]
    )
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = np.random.default_rng(1).bytes(400)
    path.write_bytes(bytes(content))
    line = refusal(path)
    assert line == "cut short, the file ends before its sound does" or line.startswith(DAMAGED)


def test_a_recording_of_a_browser_that_does_not_know_its_length(tmp_path: Path) -> None:
    wanted = voice(48_000)
    path = write_media(tmp_path / "a.webm", wanted, rate=48_000, codec="libopus", live="1")
    assert b"\x44\x89" not in path.read_bytes()[:400]
    assert likeness(decode(path)[0], wanted)[1] > 0.99
    assert probe(path)[0] == pytest.approx(len(wanted) / 48_000, abs=0.03)


def test_the_kind_is_told_by_the_content_whatever_the_ending(tmp_path: Path) -> None:
    wanted = voice(RATE)
    made = write_media(tmp_path / "a.m4a", wanted, rate=RATE, codec="aac")
    assert likeness(decode(made.rename(tmp_path / "a.wav"))[0], wanted)[1] > 0.99
    plain = write(tmp_path / "b.wav", wanted, subtype="FLOAT").rename(tmp_path / "b.m4a")
    assert np.array_equal(decode(plain)[0], wanted)
    tagged = write_media(tmp_path / "c.aac", wanted, rate=RATE, codec="aac")
    tagged.write_bytes(b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128) + tagged.read_bytes())
    assert likeness(decode(tagged)[0], wanted)[1] > 0.99
    (tmp_path / "text.m4a").write_text("no sound at all")
    assert refusal(tmp_path / "text.m4a").startswith("cannot be read as sound: another kind of file")
    (tmp_path / "empty.m4a").write_bytes(b"")
    assert refusal(tmp_path / "empty.m4a") == "is empty (0 bytes)"


def test_a_name_that_looks_like_an_address_or_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = write_media(tmp_path / "a.m4a", voice(RATE), rate=RATE, codec="aac")
    for name in ("http:a.m4a", "concat:b|c.m4a", "caf\udce9.m4a"):
        assert len(decode(made.rename(name))[0]) == len(voice(RATE))
        made = Path(name)
    with pytest.raises(AudioError, match="no such file"):
        decode("http://nowhere.invalid/a.m4a")
