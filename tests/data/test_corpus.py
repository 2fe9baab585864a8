"""Clips to rows, and what a person should know about them."""

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from corpora_made import AUDIO, folders, packed_corpus, with_file
from sayso.audio import clip_from_file, decode, quantise, resample
from sayso.data import packing
from sayso.data.clips import Clip, Listing
from sayso.data.corpus import Corpus, clear_packed, pack
from sayso.errors import DataError
from sayso.system.progress import Progress, Task


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


def test_names_tell_every_clip_apart() -> None:
    names = ["right/speaker-c/3.flac", "left/speaker-c/3.flac", "left/speaker-c/4.flac", "right/speaker-d/3.flac"]
    clips = tuple(Clip(f"/data/{name}", name.partition("/")[0]) for name in names)
    talk = tuple(Clip("/data/talk.wav", "left", start_seconds=start) for start in (0.0, 2.5))
    corpus = Corpus((*clips, *talk), np.zeros((6, 4), np.int16), AUDIO)
    assert corpus.names == (
        *("right/speaker-c/3.flac", "left/speaker-c/3.flac", "speaker-c/4.flac", "speaker-d/3.flac"),
        *("data/talk.wav from 0 s", "data/talk.wav from 2.5 s"),
    )


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
    monkeypatch.setattr(packing, "_CHUNK_BYTES", 1)
    again = packed_corpus(listing)
    assert np.array_equal(whole.samples, again.samples)
    assert whole.content_hash == again.content_hash


def test_bad_files_leave_no_gaps_whatever_the_chunks(
    listing: Listing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = packed_corpus(listing)
    bad = tuple(Clip(str(tmp_path / f"{index}.wav"), "low") for index in range(6))
    order = [bad[0], *listing.clips[:5], bad[1], bad[2], *listing.clips[5:20], *bad[3:], *listing.clips[20:]]
    for size in (1, 3, 7, 1000):
        clear_packed()
        monkeypatch.setattr(packing, "_CHUNK_BYTES", size * 2 * AUDIO.clip_samples)
        corpus = packed_corpus(Listing(tuple(order), noise=(listing.clips[0].path,)), max_bad_share=0.5)
        assert np.array_equal(corpus.samples, wanted.samples)
        assert corpus.fingerprints == wanted.fingerprints
        assert len(corpus.skipped) == 6
        assert np.array_equal(corpus.noise[0], quantise(resample(*decode(Path(listing.clips[0].path)), 8000)))


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
        text, empty = (str(tmp_path / name) for name in ("text.wav", "empty.wav"))
        assert corpus.notes[0].startswith(
            f"2 of 38 files could not be read and were skipped (2 of 14 of 'low'): {text}: cannot be read"
        )
        assert f"; {empty}: is empty (0 bytes)" in corpus.notes[0]


def test_more_than_the_share_is_an_error_and_leaves_no_cache(
    listing: Listing, tmp_path: Path, private_cache: Path
) -> None:
    worse = with_file(with_file(listing, tmp_path / "one.wav"), tmp_path / "two.wav")
    with pytest.raises(
        DataError, match=r"2 of 38 files cannot be used, the limit is 5 % .*one\.wav and 1 more: no such file"
    ):
        packed_corpus(worse, max_bad_share=0.05)
    assert folders(private_cache) == []
    assert len(packed_corpus(worse, max_bad_share=0.06)) == 36
    with pytest.raises(DataError, match="2 of 38 files"):
        packed_corpus(worse, max_bad_share=0.05)


def test_nothing_usable_is_an_error_whatever_the_share(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 of 1 file cannot be used"):
        packed_corpus(Listing((Clip(str(tmp_path / "a.wav"), "a"),)), max_bad_share=1.0)


def of_a_new_word(listing: Listing, folder: Path, *, bad: int, good: int) -> Listing:
    for number in range(bad + good):
        path = folder / f"new_{number}.wav"
        path.write_text("no sound") if number < bad else soundfile.write(path, np.full(4000, number / 64), 8000)
        listing = with_file(listing, path, "new")
    return listing


@pytest.mark.parametrize(("bad", "good"), [(1, 0), (2, 0), (3, 2)])
def test_a_word_that_would_be_lost_stops(
    listing: Listing, tmp_path: Path, private_cache: Path, bad: int, good: int
) -> None:
    """Few of all, but all or most of one word."""
    worse = of_a_new_word(listing, tmp_path, bad=bad, good=good)
    told = (
        rf"{bad} of {bad + good} files? of the word 'new' cannot be used, so that it would be lost: .*new_0\.wav: can"
    )
    for _ in range(2):
        with pytest.raises(DataError, match=told):
            packed_corpus(worse)
    assert folders(private_cache) == []
    if good:
        assert len(packed_corpus(worse, max_bad_share=0.6)) == 38
        with pytest.raises(DataError, match=told):
            packed_corpus(worse)


def test_losses_are_told_by_word(listing: Listing, tmp_path: Path) -> None:
    worse = with_file(of_a_new_word(listing, tmp_path, bad=2, good=2), tmp_path / "gone.wav", "low")
    told = packed_corpus(worse).notes[0]
    assert told.startswith("3 of 41 files could not be read and were skipped (2 of 4 of 'new', 1 of 13 of 'low'): ")
    assert told.endswith(f"; {tmp_path / 'gone.wav'}: no such file")
    assert f"{tmp_path / 'new_0.wav'} and 1 more: " in told


def test_no_clips_at_all() -> None:
    with pytest.raises(DataError, match=r"no clips were found; put sound files into .* my-clips/yes/1\.wav"):
        packed_corpus(Listing(()))


def test_silence_is_noted(listing: Listing, tmp_path: Path) -> None:
    for name in ("one", "two", "three", "four"):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(4000), 8000)
        listing = with_file(listing, tmp_path / f"{name}.wav", "low" if name == "one" else "high")
    notes = packed_corpus(listing).notes
    one, two, three = (f"{tmp_path.name}/{name}.wav" for name in ("one", "two", "three"))
    assert notes == (f"4 clips are digital silence ({one}, {two}, {three}, ...)",)


def test_the_same_sound_under_two_labels_is_noted(listing: Listing, tmp_path: Path) -> None:
    copied = tmp_path / "copied.wav"
    copied.write_bytes(Path(listing.clips[0].path).read_bytes())
    assert listing.clips[0].label == "high"
    assert packed_corpus(with_file(listing, copied, "high")).notes == ()
    (note,) = packed_corpus(with_file(listing, copied, "low")).notes
    assert note.startswith(
        "1 clip is the same sound under two labels, such as high/ann_0.wav ('high') and "
        f"{tmp_path.name}/copied.wav ('low')"
    )


def test_the_content_hash_follows_the_content(listing: Listing) -> None:
    def hash_of(**changed: Any) -> str:
        return packed_corpus(
            replace(listing, clips=(replace(listing.clips[0], **changed), *listing.clips[1:]))
        ).content_hash

    hashes = [hash_of(), hash_of(label="low"), hash_of(speaker="eve"), hash_of(part="test")]
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


# ---- what was done to clips


def tone(seconds: float = 0.5, peak: float = 0.4) -> np.ndarray:
    time = np.arange(round(seconds * 8000)) / 8000
    return peak * np.hanning(len(time)) * np.sin(2 * np.pi * 300 * time)


def notes_on(listing: Listing, tmp_path: Path, samples: np.ndarray, subtype: str) -> tuple[str, ...]:
    """Notes about a set with two files more of some samples, when it is packed and when it is opened again."""
    for name in ("one", "two"):
        soundfile.write(tmp_path / f"{name}.wav", samples, 8000, subtype=subtype)
        listing = with_file(listing, tmp_path / f"{name}.wav")
    notes = packed_corpus(listing).notes
    assert packed_corpus(listing).notes == notes
    return notes


def test_what_was_done_to_clips_is_noted(listing: Listing, tmp_path: Path) -> None:
    loud, mirrored = tone(), np.stack((tone(), -tone()), axis=1)
    loud[:3] = 1.5
    names = f"({tmp_path.name}/one.wav, {tmp_path.name}/two.wav)"
    assert notes_on(listing, tmp_path, loud, "FLOAT") == (f"2 clips beyond full scale, with 6 samples clipped {names}",)
    assert notes_on(listing, tmp_path, np.rint(32768 * tone()), "FLOAT") == (
        f"2 clips with whole numbers of int16 stored as floats: divided by 32,768 {names}",
    )
    assert notes_on(listing, tmp_path, mirrored, "PCM_16") == (
        f"2 clips with channels that all but cancel one another: the loudest channel was taken {names}",
    )


def test_what_was_done_to_a_voice_that_nobody_recorded_is_not_noted(listing: Listing, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "voice.wav", 1.5 * tone(peak=1.0), 8000, subtype="FLOAT")
    spoken = with_file(listing, tmp_path / "voice.wav")
    assert "1 clip beyond full scale" in packed_corpus(spoken).notes[0]
    made = replace(spoken, clips=(*spoken.clips[:-1], replace(spoken.clips[-1], is_made=True)))
    assert packed_corpus(made).notes == ()


def test_a_faint_clip_is_quiet_and_not_silent(listing: Listing, tmp_path: Path) -> None:
    folder = tmp_path.name
    assert notes_on(listing, tmp_path, tone(peak=1e-5), "PCM_24") == (
        f"2 clips are too quiet for 16 bits, which hold nothing of them ({folder}/one.wav, {folder}/two.wav)",
    )
    assert notes_on(listing, tmp_path, tone(peak=1e-3), "PCM_24") == ()
    assert notes_on(listing, tmp_path, np.full(4000, 0.2), "PCM_16") == (
        f"2 clips are digital silence ({folder}/one.wav, {folder}/two.wav)",
    )


def test_sound_that_is_cut_off_is_noted(listing: Listing, tmp_path: Path) -> None:
    phrase = np.concatenate((tone(), np.zeros(4000), tone(0.4)))
    assert notes_on(listing, tmp_path, phrase, "PCM_16") == (
        "cut to 0.5 s (audio.clip_seconds), 2 of 38 clips lose sound: 0.8 s of it in the median, 0.8 s at most "
        f"({tmp_path.name}/one.wav, {tmp_path.name}/two.wav); audio.clip_seconds=1.4 would keep nearly all",
    )
    early = np.concatenate((tone(0.3), np.zeros(8000)))
    silent, lost = notes_on(listing, tmp_path, early, "PCM_16")
    assert silent == f"2 clips are digital silence ({tmp_path.name}/one.wav, {tmp_path.name}/two.wav)"
    assert lost.endswith("audio.clip_seconds=1.3 would keep nearly all")
    long_pause = np.concatenate((np.zeros(6000), tone(0.4), np.zeros(6000)))
    assert notes_on(listing, tmp_path, long_pause, "PCM_16") == ()


def test_noise_that_was_changed_is_noted(listing: Listing, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hum.wav", np.rint(20_000 * tone()), 8000, subtype="FLOAT")
    corpus = packed_corpus(replace(listing, noise=(str(tmp_path / "hum.wav"),)))
    assert np.abs(corpus.noise[0] / 20_000 - tone()).max() < 1e-3
    assert corpus.notes == (
        f"noise recording {tmp_path / 'hum.wav'}: its floats are whole numbers of int16 and were divided by 32,768",
    )
