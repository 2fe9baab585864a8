"""The look that recordings get before every training: what it says, of which clips, and when it says nothing."""

import shutil
from dataclasses import replace

import numpy as np
import soundfile

from corpora_made import packed_corpus
from sayso.data.clips import Clip
from sayso.data.datasets.folder import FolderConfig
from sayso.data.faults.quick_look import look_over
from sayso.system.progress import Progress


def write_words(folder):
    """Three words of four speakers, three clips each: noise, so that no two are alike."""
    rng = np.random.default_rng(0)
    for word in ("high", "low", "middle"):
        (folder / word).mkdir(parents=True)
        for speaker in ("ann", "bob", "cas", "dee"):
            for number in range(3):
                burst = 0.1 * rng.standard_normal(3000) * np.hanning(3000)
                soundfile.write(folder / word / f"{speaker}_{number}.wav", burst, 8000)
    return folder


def corpus_of(folder):
    return packed_corpus(FolderConfig(path=str(folder)).listing(Progress()))


def looked(corpus):
    return look_over(corpus, closer="sayso audit clips", progress=Progress())


def test_good_recordings_are_not_talked_about(tmp_path):
    assert looked(corpus_of(write_words(tmp_path / "words"))) is None


def test_a_faint_clip_copies_and_a_word_of_two_clips_are_one_line(tmp_path):
    folder = write_words(tmp_path / "words")
    loud, rate = soundfile.read(folder / "low" / "ann_0.wav")
    level = np.sqrt(np.square(loud[1400:1600]).mean())
    soundfile.write(folder / "low" / "ann_0.wav", loud / level * 10 ** (-63 / 20), rate, "PCM_24")
    for number in range(7):
        shutil.copy(folder / "high" / "bob_1.wav", folder / "high" / f"copy_{number}.wav")
    for path in sorted((folder / "middle").iterdir())[2:]:
        path.unlink()
    line = looked(corpus_of(folder))
    assert line is not None
    assert line.startswith("a quick look found silence in 1 clip (low/ann_0.wav, loudest part at -6")
    assert "; near-duplicates in 7 clips (such as high/copy_0.wav, there before (likeness 1.000)); " in line
    assert line.endswith(
        "; only 2 recordings of 'middle', which nobody learns from so few: sayso audit clips looks closer"
    )
    assert "\n" not in line


def test_voices_beside_the_recordings_are_not_looked_at(tmp_path):
    corpus = corpus_of(write_words(tmp_path / "words"))
    faint = (corpus.samples // 4096).astype(np.int16)
    beside = tuple(replace(clip, path=f"{clip.path}x", source=1) for clip in corpus.clips)
    both = replace(
        corpus,
        clips=(*corpus.clips, *beside, Clip("made/hum.wav", "hum", source=1)),
        samples=np.concatenate((corpus.samples, faint, faint[:1])),
        fingerprints=(*corpus.fingerprints, *(f"{mark}x" for mark in (*corpus.fingerprints, "hum"))),
    )
    assert looked(both) is None
    assert "silence in 37 clips" in (looked(replace(both, clips=(*corpus.clips, *corpus.clips, corpus.clips[0]))) or "")


def test_a_word_of_one_recording_is_taught_by_voices_beside_it(tmp_path):
    folder = write_words(tmp_path / "words")
    for path in sorted((folder / "middle").iterdir())[1:]:
        path.unlink()
    corpus = corpus_of(folder)
    assert "only 1 recording of 'middle'" in (looked(corpus) or "")
    others = corpus.samples[:9]
    voices = tuple(Clip(f"made/{number}.wav", "middle", source=1) for number in range(9))
    marks = tuple(f"voice {number}" for number in range(9))
    taught = replace(
        corpus,
        clips=(*corpus.clips, *voices),
        samples=np.concatenate((corpus.samples, others[:, ::-1])),
        fingerprints=(*corpus.fingerprints, *marks),
    )
    assert looked(taught) is None


def test_silence_put_around_a_short_clip_does_not_make_it_silent(tmp_path):
    folder = write_words(tmp_path / "words")
    tone, rate = soundfile.read(folder / "low" / "ann_0.wav")
    middle = len(tone) // 2
    soundfile.write(folder / "low" / "ann_0.wav", tone[middle : middle + rate // 60], rate)
    assert looked(corpus_of(folder)) is None
