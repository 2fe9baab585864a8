"""Packing clips once, opening them ever after."""

import errno
import json
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

from sayso import corpus as corpus_module
from sayso.audio import AudioFormat, clip_from_file, decode, quantise, resample
from sayso.corpus import Clip, Corpus, Listing, clear_packed, pack, packed
from sayso.errors import DataError, OutputError
from sayso.progress import Progress, Task

AUDIO = AudioFormat(sample_rate=8000, clip_seconds=0.5)


@pytest.fixture
def listing(tone_folder: Path) -> Listing:
    paths = sorted(tone_folder.glob("*/*.wav"))
    return Listing(tuple(Clip(str(path), path.parent.name, path.stem.split("_")[0]) for path in paths))


def packed_corpus(listing: Listing, audio: AudioFormat = AUDIO, **options: Any) -> Corpus:
    return pack(listing, audio, progress=Progress(), **options)


def with_file(listing: Listing, path: Path, label: str = "low") -> Listing:
    return replace(listing, clips=(*listing.clips, Clip(str(path), label)))


def folders(cache: Path) -> list[Path]:
    root = cache / "packed"
    return sorted(root.iterdir()) if root.exists() else []


@contextmanager
def no_decoding(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a sound file was read")

    with monkeypatch.context() as patch:
        patch.setattr(soundfile, "SoundFile", refuse)
        yield


def stopper(stop: BaseException, *, after: int) -> Callable[..., Any]:
    """A stand-in for `clip_from_file` that stops the whole thing after some clips."""
    calls = iter(range(10**6))

    def decode_some(*args: Any, **options: Any) -> Any:
        if next(calls) >= after:
            raise stop
        return clip_from_file(*args, **options)

    return decode_some


# ---- packing


def test_rows_are_the_clips_in_order(listing: Listing) -> None:
    corpus = packed_corpus(listing)
    assert corpus.clips == listing.clips
    assert len(corpus) == 36
    assert corpus.samples.shape == (36, 4000)
    assert corpus.samples.dtype == np.int16
    for row, clip in enumerate(corpus.clips):
        assert np.array_equal(corpus.samples[row], clip_from_file(Path(clip.path), AUDIO))
    assert corpus.labels == ("high", "low", "middle")
    assert [corpus.labels[target] for target in corpus.targets] == [clip.label for clip in corpus.clips]
    assert corpus.notes == ()
    assert corpus.skipped == ()


def test_samples_are_mapped_not_loaded(listing: Listing, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_text("no sound")
    corpus = packed_corpus(with_file(listing, tmp_path / "bad.wav"))
    base: Any = corpus.samples
    while not isinstance(base, np.memmap) and base is not None:
        base = base.base
    assert isinstance(base, np.memmap)
    assert not corpus.samples.flags.writeable


def test_many_small_chunks_give_the_same(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = packed_corpus(listing)
    clear_packed()
    monkeypatch.setattr(corpus_module, "_CHUNK_BYTES", 1)
    again = packed_corpus(listing)
    assert np.array_equal(whole.samples, again.samples)
    assert whole.content_hash == again.content_hash


def test_parts_of_one_file(tmp_path: Path) -> None:
    ramp = np.arange(4 * 8000, dtype=np.int16)
    path = tmp_path / "long.wav"
    soundfile.write(path, ramp, 8000)
    clips = tuple(Clip(str(path), "ab"[i % 2], start_seconds=float(i), end_seconds=i + 0.5) for i in range(4))
    corpus = packed_corpus(Listing(clips))
    assert corpus.samples[:, 0].tolist() == [8000 * i for i in range(4)]


def test_noise_is_kept_beside_the_clips(listing: Listing, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sounds = [(0.1 * rng.standard_normal(size)).astype(np.float32) for size in (9000, 12_345)]
    paths = [tmp_path / "hum.wav", tmp_path / "rain.wav"]
    for path, sound in zip(paths, sounds, strict=True):
        soundfile.write(path, sound, 16_000)
    (tmp_path / "bad.wav").write_text("no sound")
    noise = (str(paths[0]), str(tmp_path / "bad.wav"), str(paths[1]))
    corpus = packed_corpus(replace(listing, noise=noise))
    assert len(corpus.noise) == 2
    for kept, path in zip(corpus.noise, paths, strict=True):
        samples, rate = decode(path)
        assert np.array_equal(kept, quantise(resample(samples, rate, 8000)))
    assert any("noise recording skipped" in note and "bad.wav" in note for note in corpus.notes)
    assert np.array_equal(corpus.samples, packed_corpus(listing).samples)


def test_progress_counts_every_clip(listing: Listing, tmp_path: Path) -> None:
    class Counting(Progress):
        done = 0
        total: int | None = 0

        @contextmanager
        def task(self, title: str, *, total: int | None = None, unit: str = "") -> Any:
            counting, self.total = self, total

            class Counter(Task):
                def advance(self, steps: int = 1) -> None:
                    counting.done += steps

            yield Counter()

    progress = Counting()
    pack(with_file(listing, tmp_path / "nothing.wav"), AUDIO, progress=progress)
    assert progress.done == progress.total == 37


# ---- the cache


def test_a_second_open_reads_no_sound(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    first = packed_corpus(listing)
    with no_decoding(monkeypatch):
        second = packed_corpus(listing)
    assert np.array_equal(first.samples, second.samples)
    assert first.content_hash == second.content_hash


def test_labels_speakers_and_parts_are_not_in_the_key(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    first = packed_corpus(listing)
    renamed = tuple(replace(clip, label="x" + clip.label, speaker=None, split="test") for clip in listing.clips)
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
    assert [folder for folder, _, _ in packed()] in ([], folders(private_cache))
    again = packed_corpus(listing)
    assert again.content_hash == first.content_hash
    assert np.array_equal(again.samples, samples)
    with no_decoding(monkeypatch):
        packed_corpus(listing)


def test_listing_and_clearing_the_cache(listing: Listing, private_cache: Path, tone_folder: Path) -> None:
    assert packed() == []
    assert clear_packed() == 0
    packed_corpus(listing)
    packed_corpus(listing, replace(AUDIO, fit="start"))
    left_by_a_kill = private_cache / "packed" / ".left" / "new"
    left_by_a_kill.mkdir(parents=True)
    (left_by_a_kill / "samples.i16").write_bytes(bytes(1000))
    rows = packed()
    assert len(rows) == 2
    folder, index, size = rows[0]
    assert index["clips"] == 36
    assert index["audio"]["sample_rate"] == 8000
    assert index["folder"] == str(tone_folder)
    assert size == sum(path.stat().st_size for path in folder.iterdir())
    assert clear_packed() == sum(size for _, _, size in rows) + 1000
    assert packed() == []
    assert tone_folder.exists()


# ---- stopped, full, at once


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(), MemoryError()])
@pytest.mark.parametrize("after", [0, 20])
def test_a_stop_leaves_nothing(
    listing: Listing, private_cache: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException, after: int
) -> None:
    monkeypatch.setattr(corpus_module, "_CHUNK_BYTES", 20_000)
    monkeypatch.setattr(corpus_module, "clip_from_file", stopper(stop, after=after))
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
from sayso.corpus import Clip, Listing, pack
from sayso.progress import Progress
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
    original = corpus_module._chunks

    def overtaken(*args: Any) -> Iterator[Any]:
        with monkeypatch.context() as patch:
            patch.setattr(corpus_module, "_chunks", original)
            packed_corpus(listing)
        return original(*args)

    monkeypatch.setattr(corpus_module, "_chunks", overtaken)
    assert len(packed_corpus(listing)) == 36
    assert len(folders(private_cache)) == 1


# ---- what a person should know


def test_bad_files_are_skipped_counted_and_listed(listing: Listing, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "empty.wav").touch()
    worse = with_file(with_file(listing, tmp_path / "text.wav"), tmp_path / "empty.wav")
    worse = replace(worse, clips=(*worse.clips[-2:], *worse.clips[:-2]))
    for _ in range(2):
        corpus = packed_corpus(worse)
        assert corpus.clips == listing.clips
        assert np.array_equal(corpus.samples, packed_corpus(listing).samples)
        assert [Path(path).name for path, _ in corpus.skipped] == ["text.wav", "empty.wav"]
        assert [why.partition(": ")[2][:14] for _, why in corpus.skipped] == ["cannot be read", "is empty (0 by"]
        assert "2 of 38 files could not be read and were skipped" in corpus.notes


def test_more_than_the_share_is_an_error_and_leaves_no_cache(
    listing: Listing, tmp_path: Path, private_cache: Path
) -> None:
    worse = with_file(with_file(listing, tmp_path / "one.wav"), tmp_path / "two.wav")
    with pytest.raises(DataError, match=r"2 of 38 files cannot be used, the limit is 5% .*one\.wav: no such file"):
        packed_corpus(worse, max_bad_share=0.05)
    assert folders(private_cache) == []
    assert len(packed_corpus(worse, max_bad_share=0.06)) == 36
    with pytest.raises(DataError, match="2 of 38 files"):
        packed_corpus(worse, max_bad_share=0.05)


def test_nothing_usable_is_an_error_whatever_the_share(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 of 1 files cannot be used"):
        packed_corpus(Listing((Clip(str(tmp_path / "a.wav"), "a"),)), max_bad_share=1.0)


def test_no_clips_at_all() -> None:
    with pytest.raises(DataError, match=r"no clips were found; put sound files into .* my-clips/yes/1\.wav"):
        packed_corpus(Listing(()))


def test_silence_is_noted(listing: Listing, tmp_path: Path) -> None:
    for name in ("one", "two", "three", "four"):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(4000), 8000)
        listing = with_file(listing, tmp_path / f"{name}.wav", "low" if name == "one" else "high")
    notes = packed_corpus(listing).notes
    assert notes == ("4 clips are digital silence (one.wav, two.wav, three.wav, ...)",)


def test_the_same_sound_under_two_labels_is_noted(listing: Listing, tmp_path: Path) -> None:
    copied = tmp_path / "copied.wav"
    copied.write_bytes(Path(listing.clips[0].path).read_bytes())
    assert listing.clips[0].label == "high"
    assert packed_corpus(with_file(listing, copied, "high")).notes == ()
    (note,) = packed_corpus(with_file(listing, copied, "low")).notes
    assert note.startswith(
        "1 clips are the same sound under two labels, such as ann_0.wav ('high') and copied.wav ('low')"
    )


def test_the_content_hash_follows_the_content(listing: Listing) -> None:
    def hash_of(**changed: Any) -> str:
        return packed_corpus(
            replace(listing, clips=(replace(listing.clips[0], **changed), *listing.clips[1:]))
        ).content_hash

    hashes = [hash_of(), hash_of(label="low"), hash_of(speaker="eve"), hash_of(split="test")]
    path = Path(listing.clips[0].path)
    samples, rate = soundfile.read(path, dtype="int16")
    samples[3000] += 4
    soundfile.write(path, samples, rate)
    hashes.append(hash_of())
    assert len(set(hashes)) == 5


def test_the_content_hash_does_not_follow_the_place(listing: Listing, tmp_path: Path) -> None:
    first = packed_corpus(listing).content_hash
    moved = Path(listing.clips[0].path).parent.parent.rename(tmp_path / "elsewhere")
    clips = tuple(replace(clip, path=str(moved / clip.label / Path(clip.path).name)) for clip in listing.clips)
    assert packed_corpus(replace(listing, clips=clips)).content_hash == first


def test_the_index_is_plain_json(listing: Listing, private_cache: Path) -> None:
    packed_corpus(listing)
    index = json.loads((folders(private_cache)[0] / "index.json").read_text(encoding="utf-8"))
    assert len(index["fingerprints"]) == len(set(index["fingerprints"])) == 36
