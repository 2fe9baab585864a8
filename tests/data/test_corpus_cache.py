"""Packed once, opened ever after; and whatever happens, whole or not there."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from corpora_made import AUDIO, folders, packed_corpus, with_file
from sayso.audio import read_sound
from sayso.data import corpus as corpus_module
from sayso.data import packing
from sayso.data.clips import Listing
from sayso.data.corpus import clear_packed, list_packed, pack
from sayso.errors import OutputError
from sayso.system.progress import Progress, Task


@contextmanager
def no_decoding(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a sound file was read")

    with monkeypatch.context() as patch:
        patch.setattr(soundfile, "SoundFile", refuse)
        yield


def stopper(stop: BaseException, *, after: int) -> Callable[..., Any]:
    """A stand-in for `read_sound` that stops the whole thing after some clips."""
    calls = iter(range(10**6))

    def decode_some(*args: Any, **options: Any) -> Any:
        if next(calls) >= after:
            raise stop
        return read_sound(*args, **options)

    return decode_some


def test_a_second_open_reads_no_sound(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    first = packed_corpus(listing)
    with no_decoding(monkeypatch):
        second = packed_corpus(listing)
    assert np.array_equal(first.samples, second.samples)
    assert first.content_hash == second.content_hash


def test_labels_speakers_and_parts_are_not_in_the_key(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    first = packed_corpus(listing)
    renamed = tuple(replace(clip, label="x" + clip.label, speaker=None, part="test") for clip in listing.clips)
    with no_decoding(monkeypatch):
        second = packed_corpus(replace(listing, clips=renamed, notes=("hello",)))
    assert second.labels == ("xhigh", "xlow", "xmiddle")
    assert second.notes == ("hello",)
    assert second.content_hash != first.content_hash


def test_what_makes_a_new_key(listing: Listing, tmp_path: Path, private_cache: Path) -> None:
    packed_corpus(listing)
    path = Path(listing.clips[0].path)

    def touch() -> Listing:
        os.utime(path, ns=(1, 1))
        return listing

    def grow() -> Listing:
        soundfile.write(path, np.zeros(9000), 16_000)
        os.utime(path, ns=(1, 1))
        return listing

    def forbid() -> Listing:
        path.chmod(0o400)
        return listing

    def shorten() -> Listing:
        return replace(listing, clips=(replace(listing.clips[0], end_seconds=0.1), *listing.clips[1:]))

    def turn() -> Listing:
        return replace(listing, clips=listing.clips[::-1])

    changes: list[Callable[[], Listing]] = [touch, grow, forbid, shorten, turn]
    for count, change in enumerate(changes, start=2):
        packed_corpus(change())
        assert len(folders(private_cache)) == count, change.__name__
    for count, changed in enumerate(({"sample_rate": 4000}, {"clip_seconds": 0.4}, {"fit": "loudest"}), start=7):
        packed_corpus(listing, replace(AUDIO, **changed))
        assert len(folders(private_cache)) == count, changed


def test_a_file_that_comes_back_is_packed(listing: Listing, tmp_path: Path) -> None:
    missing = tmp_path / "late.wav"
    assert len(packed_corpus(with_file(listing, missing))) == 36
    soundfile.write(missing, np.ones(4000), 8000)
    assert len(packed_corpus(with_file(listing, missing))) == 37


def hurt_index(folder: Path) -> None:
    (folder / "index.json").write_text('{"clips": 36, "ski')


def odd_index(folder: Path) -> None:
    (folder / "index.json").write_text("[1, 2]")


def empty_index(folder: Path) -> None:
    (folder / "index.json").write_text("{}")


def no_index(folder: Path) -> None:
    (folder / "index.json").unlink()


def no_samples(folder: Path) -> None:
    (folder / "samples.i16").unlink()


def short_samples(folder: Path) -> None:
    with (folder / "samples.i16").open("r+b") as file:
        file.truncate(1000)


def empty_samples(folder: Path) -> None:
    (folder / "samples.i16").write_bytes(b"")


DAMAGE = [hurt_index, odd_index, empty_index, no_index, no_samples, short_samples, empty_samples]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_is_made_again(
    listing: Listing, private_cache: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None]
) -> None:
    first = packed_corpus(listing)
    # A copy: a mapped file must not shrink under its reader.
    samples = first.samples.copy()
    damage(folders(private_cache)[0])
    assert [folder for folder, _, _ in list_packed()] in ([], folders(private_cache))
    again = packed_corpus(listing)
    assert again.content_hash == first.content_hash
    assert np.array_equal(again.samples, samples)
    with no_decoding(monkeypatch):
        packed_corpus(listing)


def test_listing_and_clearing_the_cache(listing: Listing, private_cache: Path, tone_folder: Path) -> None:
    assert list_packed() == []
    assert clear_packed() == 0
    packed_corpus(listing)
    packed_corpus(listing, replace(AUDIO, fit="start"))
    left_by_a_kill = private_cache / "packed" / ".left" / "new"
    left_by_a_kill.mkdir(parents=True)
    (left_by_a_kill / "samples.i16").write_bytes(bytes(1000))
    rows = list_packed()
    assert len(rows) == 2
    folder, index, size = rows[0]
    assert index["clips"] == 36
    assert index["audio"]["sample_rate"] == 8000
    assert index["folder"] == str(tone_folder)
    assert size == sum(path.stat().st_size for path in folder.iterdir())
    assert clear_packed() == sum(size for _, _, size in rows) + 1000
    assert list_packed() == []
    assert tone_folder.exists()


# ---- stopped, full, at once


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(), MemoryError()])
@pytest.mark.parametrize("after", [0, 20])
def test_a_stop_leaves_nothing(
    listing: Listing, private_cache: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException, after: int
) -> None:
    monkeypatch.setattr(packing, "_CHUNK_BYTES", 20_000)
    monkeypatch.setattr(packing, "read_sound", stopper(stop, after=after))
    with pytest.raises(type(stop)):
        packed_corpus(listing)
    assert folders(private_cache) == []


def test_ctrl_c_in_the_main_thread_leaves_nothing(listing: Listing, private_cache: Path) -> None:
    class Impatient(Task):
        def advance(self, steps: int = 1) -> None:
            raise KeyboardInterrupt

    class Bars(Progress):
        @contextmanager
        def task(self, title: str, *, total: int | None = None, unit: str = "") -> Any:
            yield Impatient()

    with pytest.raises(KeyboardInterrupt):
        pack(listing, AUDIO, progress=Bars())
    assert folders(private_cache) == []


def test_a_full_disk_is_one_line(listing: Listing, private_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(corpus_module, "write_json", refuse)
    with pytest.raises(OutputError, match="the disk is full"):
        packed_corpus(listing)
    assert folders(private_cache) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_disk_that_fills_up_while_packing(
    listing: Listing, private_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Path.open

    def open_full(self: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        return original(Path("/dev/full") if self.name == "samples.i16" else self, mode, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_full)
        with pytest.raises(OutputError, match="the disk is full"):
            packed_corpus(listing)
    assert folders(private_cache) == []


def test_a_cache_that_may_not_be_written(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryDirectory", refuse)
    with pytest.raises(OutputError, match=r"no permission .* SAYSO_CACHE"):
        packed_corpus(listing)


def test_a_file_in_the_place_of_the_cache(listing: Listing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        packed_corpus(listing)


PACKER = """
import sys
from pathlib import Path
from sayso.audio import AudioFormat
from sayso.data.clips import Clip, Listing
from sayso.data.corpus import pack
from sayso.system.progress import Progress
paths = sorted(Path(sys.argv[1]).glob("*/*.wav"))
listing = Listing(tuple(Clip(str(path), path.parent.name) for path in paths))
print("ready", flush=True)
sys.stdin.readline()
corpus = pack(listing, AudioFormat(sample_rate=8000, clip_seconds=0.5), progress=Progress())
print(corpus.content_hash, "torch" in sys.modules)
"""


def test_two_processes_at_once(tone_folder: Path, private_cache: Path) -> None:
    command = [sys.executable, "-c", PACKER, str(tone_folder)]
    pipe = subprocess.PIPE
    packers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(2)]
    for packer in packers:
        assert packer.stdout
        assert packer.stdout.readline() == "ready\n"
    answers = []
    for packer in packers:
        assert packer.stdin
        packer.stdin.write("go\n")
        packer.stdin.flush()
    for packer in packers:
        out, err = packer.communicate(timeout=60)
        assert packer.returncode == 0, err
        answers.append(out.split())
    assert answers[0] == answers[1]
    assert answers[0][1] == "False"
    assert len(folders(private_cache)) == 1


def test_another_process_packs_the_same_first(
    listing: Listing, private_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = corpus_module.pack_clips

    def overtaken(*args: Any) -> Iterator[Any]:
        with monkeypatch.context() as patch:
            patch.setattr(corpus_module, "pack_clips", original)
            packed_corpus(listing)
        return original(*args)

    monkeypatch.setattr(corpus_module, "pack_clips", overtaken)
    assert len(packed_corpus(listing)) == 36
    assert len(folders(private_cache)) == 1


def test_two_that_pack_the_same_clips_at_once_both_get_them(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds nothing, the first finishes, and the second clears away what it takes for damaged."""
    began = corpus_module._build
    firsts: list[Any] = []

    def build_after_the_other(*arguments: Any) -> Any:
        monkeypatch.setattr(corpus_module, "_build", began)
        firsts.append(packed_corpus(listing))
        return began(*arguments)

    monkeypatch.setattr(corpus_module, "_build", build_after_the_other)
    second = packed_corpus(listing)
    clear_packed()
    for corpus in (*firsts, second):
        assert len(corpus) == len(listing.clips)
        assert corpus.samples.any(axis=1).all()
