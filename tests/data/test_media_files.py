"""Clips and noise of the kinds that the extra `media` reads: used where it is installed, else counted with the mend."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpora_made import packed_corpus
from folders_made import listing_of, write_manifest
from media_made import write_media
from sayso.audio import AudioFormat, clip_from_file, decode, probe
from sayso.config.schema import read
from sayso.data.clips import Listing
from sayso.data.corpus import Corpus
from sayso.errors import AudioError, DataError, install_command
from sayso.recipe.negatives import gather_negatives
from sayso.recipe.recipe import Rejection
from sayso.system.progress import Progress
from sounds_made import RATE, sine, write

AUDIO = AudioFormat(sample_rate=8000)
COMMAND = install_command("media")
STARTS = {
    "m4a": (b"\0\0\0\x20ftypM4A ", "M4A, MP4 or 3GP"),
    "webm": (b"\x1a\x45\xdf\xa3", "WebM or Matroska"),
    "aac": (b"\xff\xf1\x60\x40", "AAC"),
    "amr": (b"#!AMR\n", "AMR"),
    "wma": (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA"),
    "caf": (b"caff\0\1\0\0", "CAF with compressed sound"),
}


@pytest.fixture
def without_media(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra is not installed."""
    monkeypatch.setitem(sys.modules, "av", None)


def fill(folder: Path, *, media: int, wavs: int, ending: str = "m4a") -> Path:
    """Two words, each of some files that only begin like a recorder's, and some that are WAV."""
    for word in ("yes", "no"):
        (folder / word).mkdir(parents=True)
        for index in range(media):
            (folder / word / f"phone{index}.{ending}").write_bytes(STARTS[ending][0] + bytes(100))
        for index in range(wavs):
            write(folder / word / f"{index}.wav", sine((300 if word == "yes" else 900) + 10 * index))
    return folder


# ---- without the extra


@pytest.mark.usefixtures("without_media")
@pytest.mark.parametrize("ending", STARTS)
def test_a_file_alone_is_one_line_with_the_mend(tmp_path: Path, ending: str) -> None:
    start, name = STARTS[ending]
    path = tmp_path / f"a.{ending}"
    path.write_bytes(start + bytes(100))
    for look in (decode, probe):
        with pytest.raises(AudioError) as caught:
            look(path)
        assert str(caught.value) == f"{path}: {name}, which an extra reads that is not installed: {COMMAND}"


def make_folder(root: Path) -> Path:
    return fill(root / "clips", media=3, wavs=2)


def make_manifest(root: Path) -> Path:
    folder = fill(root / "clips", media=3, wavs=2)
    rows = [f"clips/{path.parent.name}/{path.name},{path.parent.name}\n" for path in sorted(folder.glob("*/*"))]
    return write_manifest(root / "clips.csv", "path,label\n" + "".join(rows))


def make_kaldi(root: Path) -> Path:
    folder = fill(root / "clips", media=3, wavs=2)
    paths = {f"u{index}": path for index, path in enumerate(sorted(folder.glob("*/*")))}
    (root / "wav.scp").write_text("".join(f"{name} {path}\n" for name, path in paths.items()))
    (root / "text").write_text("".join(f"{name} {path.parent.name}\n" for name, path in paths.items()))
    return root


@pytest.mark.usefixtures("without_media")
@pytest.mark.parametrize("make", [make_folder, make_manifest, make_kaldi])
def test_folders_and_tables_count_them_and_nothing_trains_without_them(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    listing = listing_of(make(tmp_path))
    assert len(listing.clips) == 10
    assert f"6 of 10 sound files (6 .m4a) are read by an extra that is not installed: {COMMAND}" in listing.notes
    with pytest.raises(DataError) as caught:
        packed_corpus(listing)
    assert str(caught.value) == (
        "6 of 10 files cannot be used, the limit is 10 % (dataset.max_bad_share): "
        f"{tmp_path / 'clips' / 'no' / 'phone0.m4a'} and 5 more: "
        f"M4A, MP4 or 3GP, which an extra reads that is not installed: {COMMAND}"
    )


@pytest.mark.usefixtures("without_media")
def test_a_few_are_left_out_and_said(tmp_path: Path) -> None:
    fill(tmp_path, media=1, wavs=12)
    (tmp_path / "_background_noise_").mkdir()
    for name in ("a.amr", "b.amr"):
        (tmp_path / "_background_noise_" / name).write_bytes(STARTS["amr"][0] + bytes(100))
    corpus = packed_corpus(listing_of(tmp_path), AUDIO)
    said = "which an extra reads that is not installed"
    assert len(corpus) == 24
    assert corpus.noise == ()
    assert corpus.notes == (
        f"4 of 28 sound files (2 .m4a, 2 .amr) are read by an extra that is not installed: {COMMAND}",
        "2 of 26 files could not be read and were skipped (1 of 13 of 'no', 1 of 13 of 'yes'): "
        f"{tmp_path / 'no' / 'phone0.m4a'} and 1 more: M4A, MP4 or 3GP, {said}: {COMMAND}",
        f"noise recording skipped: {tmp_path / '_background_noise_' / 'a.amr'} and 1 more: AMR, {said}: {COMMAND}",
    )


@pytest.mark.usefixtures("without_media")
def test_negatives_that_cannot_be_read_are_told(tmp_path: Path, listing: Listing) -> None:
    other = fill(tmp_path / "other", media=1, wavs=12)
    rejection = read(Rejection, {"negatives": [{"kind": "folder", "path": str(other)}]})
    negatives = gather_negatives(rejection, packed_corpus(listing), None, progress=Progress())
    said = f"{other / 'no' / 'phone0.m4a'} and 1 more: M4A, MP4 or 3GP, which an extra reads that is not installed"
    assert f"; 2 files of them could not be read: {said}: {COMMAND}" in negatives.note


def test_nothing_is_said_of_kinds_that_need_no_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    fill(tmp_path, media=0, wavs=2)
    assert listing_of(tmp_path).notes == ()


# ---- with it


def recorded(folder: Path) -> Path:
    """Two words as a phone, a browser and a camera may have recorded them, and a hum."""
    for word, pitch in (("yes", 300), ("no", 700)):
        (folder / word).mkdir(parents=True)
        write_media(folder / word / "1.m4a", sine(pitch), rate=RATE, codec="aac")
        write_media(folder / word / "2.WEBM", sine(pitch, rate=48_000), rate=48_000, codec="libopus")
        write_media(folder / word / "3.mov", sine(pitch), rate=RATE, codec="aac", pictures=10)
        write(folder / word / "4.wav", sine(pitch))
    (folder / "_background_noise_").mkdir()
    write_media(folder / "_background_noise_" / "hum.3gp", sine(100, seconds=3.0), rate=RATE, codec="aac")
    return folder


def test_all_kinds_make_the_same_clips(tmp_path: Path) -> None:
    corpus = packed_corpus(listing_of(recorded(tmp_path)), AUDIO)
    assert corpus.notes == ()
    assert [Path(clip.path).name for clip in corpus.clips] == 2 * ["1.m4a", "2.WEBM", "3.mov", "4.wav"]
    assert [len(noise) for noise in corpus.noise] == [3 * AUDIO.sample_rate]
    for row, clip in enumerate(corpus.clips):
        assert np.array_equal(corpus.samples[row], clip_from_file(clip.path, AUDIO))
        wav = corpus.samples[4 * (row // 4) + 3].astype(float)
        assert np.corrcoef(corpus.samples[row], wav)[0, 1] > 0.999


def test_many_at_once_give_what_each_alone_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sayso.data.packing._CHUNK_BYTES", 1)
    (tmp_path / "yes").mkdir()
    for index in range(24):
        write_media(tmp_path / "yes" / f"{index}.m4a", sine(200 + 20 * index), rate=RATE, codec="aac")
    corpus = packed_corpus(listing_of(tmp_path), AUDIO)
    for row, clip in enumerate(corpus.clips):
        assert np.array_equal(corpus.samples[row], clip_from_file(clip.path, AUDIO))


def test_what_was_left_out_is_read_once_the_extra_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(tmp_path)

    def pack_anew() -> Corpus:
        return packed_corpus(listing_of(tmp_path), AUDIO, max_bad_share=0.9)

    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "av", None)
        assert len(pack_anew()) == 2
    assert len(pack_anew()) == 8
    assert pack_anew().skipped == ()


def test_a_table_names_stretches_of_a_long_recording(tmp_path: Path) -> None:
    steps = np.concatenate([sine(200 * (1 + second)) for second in range(6)])
    write_media(tmp_path / "talk.m4a", steps, rate=RATE, codec="aac")
    soundfile.write(tmp_path / "talk.wav", steps, RATE, subtype="FLOAT")
    lines = [
        f"talk.{ending},{'ab'[second % 2]},{second},{second + 1}" for ending in ("m4a", "wav") for second in range(6)
    ]
    corpus = packed_corpus(
        listing_of(write_manifest(tmp_path / "clips.csv", "\n".join(["path,label,start,end", *lines]))), AUDIO
    )
    assert corpus.notes == ()
    for row in range(6):
        assert np.corrcoef(corpus.samples[row], corpus.samples[row + 6])[0, 1] > 0.999
