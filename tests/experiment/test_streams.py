"""Trained for streams: words in longer sound, windows of other recordings, words that are cut, and rounds of mining."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from conftest import write_tones
from runs_made import small_recipe
from sayso.augment.surround import SurroundConfig
from sayso.classifier.checkpoint import load_model
from sayso.config.schema import read
from sayso.data.long_recordings import read_recordings
from sayso.errors import DataError, SettingsError
from sayso.experiment.rounds import find_mistaken
from sayso.experiment.train import train
from sayso.features.mel import MelConfig
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import Rejection, recipe_from_values
from sayso.runtime import Stream
from sayso.system.progress import Progress

RATE = 8000


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    return write_tones(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="module")
def radio(tmp_path_factory):
    """A folder with 10 s of noise, and in it a stretch that sounds like a word."""
    folder = tmp_path_factory.mktemp("radio")
    rng = np.random.default_rng(0)
    samples = 0.02 * rng.standard_normal(10 * 16_000)
    time = np.arange(8_000) / 16_000
    samples[48_000:56_000] += 0.4 * np.sin(2 * np.pi * 500 * time) * np.hanning(8_000)
    (folder / "deep").mkdir()
    soundfile.write(folder / "deep" / "a.wav", samples, 16_000)
    soundfile.write(folder / "b.flac", samples[:4_000], 16_000)
    return folder


def recipe(tones, radio, **rejection):
    small = small_recipe(tones)
    settings = {"recordings": (str(radio),), "windows": 40, "cut_words": 6} | rejection
    features = replace(small.features, centre=False)
    return replace(small, features=features, rejection=Rejection(**settings), augment=(SurroundConfig(),))


def test_recordings_are_found_at_any_depth_and_brought_to_one_rate(radio):
    heard = read_recordings([radio], RATE, progress=Progress())
    assert [len(sound) for sound in heard.sounds] == [2_000, 80_000]
    assert heard.seconds == pytest.approx(10.25)
    windows = list(heard.windows(4_000, 4_000))
    # The short one is a window all the same.
    assert windows[0] == (0, 0)
    assert len(windows) == 1 + 20
    taken = heard.take(windows, 4_000)
    assert np.any(taken[0, :2_000])
    assert not np.any(taken[0, 2_000:])
    np.testing.assert_array_equal(taken[1:].ravel(), heard.sounds[1])


def test_places_without_sound_are_told(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        read_recordings([tmp_path / "none"], RATE, progress=Progress())
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match="holds no sound file"):
        read_recordings([tmp_path], RATE, progress=Progress())
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    with pytest.raises(DataError, match="none of 1 other recording can be read"):
        read_recordings([tmp_path], RATE, progress=Progress())


def test_windows_and_cut_words_train_as_none(tones, radio):
    prepared = prepare(recipe(tones, radio), Progress())
    negatives = prepared.negatives
    # 100 of made noise, 40 windows at most, 6 cut words.
    assert "40 windows of other recordings" in negatives.note
    assert "so do 6 clips in which a word is cut" in negatives.note
    cut = negatives.samples[-6:]
    energy = np.square(cut.astype(float)).sum(axis=1)
    whole = np.square(prepared.corpus.samples[prepared.split.train].astype(float)).sum(axis=1)
    assert np.all(energy > 0)
    assert np.all(energy < whole.max())
    # Windows stand before them, and nothing is moved in those.
    assert negatives.windows.tolist() == list(range(len(negatives) - 46, len(negatives) - 6))
    # Those that begin have nothing after the cut, those that end nothing before it.
    assert np.all(cut[::2, -500:] == 0)
    assert np.all(cut[1::2, :500] == 0)


def test_more_negatives_train_wherever_a_speaker_is_left_out_and_nothing_is_looked_up_again(tones, radio):
    prepared = prepare(recipe(tones, radio, cut_words=0), Progress())
    before, leakage = prepared.negatives, prepared.leakage
    windows = np.full((3, prepared.recipe.audio.clip_samples), 7, np.int16)
    more = prepared.with_negatives(windows, "3 windows of round 1")
    assert len(more.negatives) == len(before) + 3
    assert more.negatives.windows.tolist()[-3:] == list(range(len(before), len(before) + 3))
    assert more.negatives.note.endswith("; 3 windows of round 1")
    assert more.without_speaker("ann").negatives.content_hash == more.negatives.content_hash
    assert more.leakage is leakage
    assert prepared.negatives is before


def test_a_run_mines_its_recordings_and_leaves_a_model_that_streams(tones, radio, tmp_path):
    run = train(recipe(tones, radio, rounds=1), out=tmp_path / "run")
    assert run.finished
    assert not (run.path / "rounds").exists()
    assert run.stream_onnx.is_file()
    stream = Stream(run.path, sample_rate=16_000)
    assert stream.form == "stateful"
    heard = read_recordings([radio], 16_000, progress=Progress())
    assert len(stream.answer(heard.sounds[1]).hops) > 100


def test_what_is_taken_for_a_word_most_surely_is_found_once(tones, radio, tmp_path):
    run = train(recipe(tones, radio, cut_words=0), out=tmp_path / "run", extras=False)
    heard = read_recordings([radio], RATE, progress=Progress())
    classifier = load_model(run.weights)
    found = find_mistaken(classifier, heard, most=5, progress=Progress())
    assert len(found) <= 5
    starts = sorted(start for place, start in found if place == 1)
    assert all(after - before > 2_000 for before, after in itertools.pairwise(starts))
    assert found[:2] == find_mistaken(classifier, heard, most=2, progress=Progress())[: len(found)]


def test_rounds_need_something_to_listen_to():
    with pytest.raises(SettingsError, match="no recordings to listen to"):
        Rejection(rounds=1)


def test_cut_words_and_speakers_left_out_in_turn_do_not_go_together():
    values = {"dataset": {"kind": "fsdd"}, "rejection": {"cut_words": 5}, "split": {"by": "each_speaker"}}
    with pytest.raises(SettingsError, match=r"rejection\.cut_words"):
        recipe_from_values(values, source="test")


def test_features_that_end_inside_the_clip_need_a_whole_window():
    values = {
        "dataset": {"kind": "fsdd"},
        "features": {"kind": "mel", "centre": False},
        "audio": {"clip_seconds": 0.03},
    }
    with pytest.raises(SettingsError, match="too long for clips"):
        recipe_from_values(values, source="test")
    assert read(MelConfig, {"centre": False}).centre is False
