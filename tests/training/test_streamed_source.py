"""Training on streams: windows are those that a stream would be judged by, and named by what was said in them."""

import re
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
import yaml

from sayso.audio import quantise
from sayso.classifier.module import Classifier, samples_from_int16
from sayso.errors import SettingsError
from sayso.experiment.train import train
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import recipe_from_values
from sayso.recipe.training_streams import count_streams, make_training_streams
from sayso.system.progress import Progress, Task
from sayso.training import feature_cache, streamed_source
from sayso.training.hardware import choose_hardware
from sayso.training.sources import Sources

RATE = 16_000
WINDOW = 12_000  # of 0.75 s
HOP = 1280


@pytest.fixture
def talk(tmp_path):
    """Two recordings of other sound, one of them longer than a piece of a stream."""
    folder = tmp_path / "talk"
    folder.mkdir()
    rng = np.random.default_rng(3)
    for name, seconds in (("long", 19), ("short", 3)):
        soundfile.write(folder / f"{name}.wav", (0.02 * rng.standard_normal(seconds * RATE)).astype(np.float32), RATE)
    return folder


def values(tones, talk, **changes):
    base = {
        "dataset": {"kind": "folder", "path": str(tones)},
        "audio": {"sample_rate": RATE, "clip_seconds": WINDOW / RATE, "fit": "end"},
        "features": {"kind": "mel", "centre": False},
        "augment": [],
        "rejection": {"recordings": [str(talk)], "windows": 40},
        "training": {"on": "streams", "copies": 2, "epochs": 2, "batch_size": 8},
    }
    return base | changes


def ready(tones, talk, **changes):
    return prepare(recipe_from_values(values(tones, talk, **changes), source="test"), Progress())


def sources(prepared):
    features = Classifier(prepared.recipe, prepared.corpus.labels).features
    return features, Sources.of(features, prepared, choose_hardware(prepared.recipe.training))


def as_they_are(samples, copy):
    del copy
    return samples.astype(np.float32) / 32768


def test_each_clip_stands_in_the_streams_as_often_as_is_asked(tone_folder, talk):
    prepared = ready(tone_folder, talk)
    streams = list(make_training_streams(prepared, as_they_are))
    assert len(streams) == count_streams(prepared)
    rows = np.concatenate([stream.rows for stream in streams])
    copies = np.concatenate([stream.copies for stream in streams])
    assert sorted(zip(rows.tolist(), copies.tolist(), strict=True)) == [
        (row, copy) for row in sorted(prepared.split.train.tolist()) for copy in (0, 1)
    ]
    assert set(rows) & set(prepared.split.test) == set()
    names = {place.name for stream in streams for place in stream.made.places}
    assert {name.rsplit("/", 1)[-1] for name in names} == {"long.wav", "short.wav"}


def test_a_window_holds_what_the_stream_held_and_its_word_has_just_ended(tone_folder, talk):
    prepared = ready(tone_folder, talk)
    features, given = sources(prepared)
    windows = given.words._streams
    heard, begin = 0, 0
    for stream in make_training_streams(prepared, as_they_are):
        samples = stream.made.samples
        around = quantise(np.concatenate((samples[:WINDOW][::-1], samples, samples[-WINDOW:][::-1])))
        frames = features(samples_from_int16(torch.from_numpy(around[None]))).shape[3]
        for stretch, row, copy in zip(stream.made.truth, stream.rows, stream.copies, strict=True):
            hop = (windows.first[row, copy] - begin) // windows.step
            ends = (hop + np.arange(windows.count[row, copy])) * HOP / RATE
            assert np.all((ends - stretch.end >= 0) & (ends - stretch.end <= 0.4))
            own = samples_from_int16(torch.from_numpy(around[None, hop * HOP : hop * HOP + WINDOW]))
            found = windows.windows(windows.first[[row], [copy]])
            # Kept in half precision.
            torch.testing.assert_close(found, features(own), atol=2e-2, rtol=2e-3)
            heard += 1
        begin += frames // windows.step * windows.step
    assert heard == 2 * len(prepared.split.train)


def test_no_window_in_which_a_word_has_just_ended_is_none_of_the_words(tone_folder, talk):
    prepared = ready(tone_folder, talk)
    _, given = sources(prepared)
    windows = given.words._streams
    named = {
        int(first + place * windows.step)
        for row in prepared.split.train
        for first, count in zip(windows.first[row], windows.count[row], strict=True)
        for place in range(count)
    }
    assert named.isdisjoint(windows.others.tolist())
    assert len(windows.others) > 3 * len(named)


def test_an_epoch_draws_as_many_windows_as_the_recipe_says_and_the_other_sounds(tone_folder, talk):
    prepared = ready(tone_folder, talk)
    features, given = sources(prepared)
    others = given.negatives
    drawn = others.draw(np.random.default_rng(0))
    assert len(drawn) == len(set(drawn.tolist())) == 40 + len(prepared.negatives)
    heard = others.for_training(
        features, drawn, epoch=0, generator=torch.Generator().manual_seed(0), device=torch.device("cpu")
    )
    assert heard.features.shape == (len(drawn), *features.shape)
    assert torch.isfinite(heard.features).all()


def test_the_same_seed_makes_the_same_streams(tone_folder, talk):
    prepared = ready(tone_folder, talk, augment=[{"kind": "gain"}])
    first, second = (sources(prepared)[1].words._streams for _ in range(2))
    torch.testing.assert_close(first.frames, second.frames, rtol=0, atol=0)
    np.testing.assert_array_equal(first.others, second.others)


def test_without_recordings_words_stand_in_noise(tone_folder, talk):
    others = talk.parent / "others"
    others.mkdir()
    (tone_folder / "low").rename(others / "low")
    rejection = {"negatives": [{"kind": "folder", "path": str(others)}], "windows": 40}
    prepared = ready(tone_folder, talk, rejection=rejection)
    [stream] = make_training_streams(prepared, as_they_are)
    assert {place.name for place in stream.made.places} == {"noise"}
    assert np.count_nonzero(stream.rows == -1) == prepared.negatives.spoken == 12


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"augment": [{"kind": "surround"}]}, "take surround out of augment"),
        ({"rejection": {}}, "name rejection.recordings or rejection.negatives"),
        ({"test_time_speeds": [0.9, 1.1]}, "where every frame is computed once, at one speed"),
    ],
)
def test_what_cannot_be_trained_on_streams_is_told(tone_folder, talk, changes, problem):
    with pytest.raises(SettingsError, match=problem):
        recipe_from_values(values(tone_folder, talk, **changes), source="test")


def test_streams_longer_than_the_first_find_room(tone_folder, talk, monkeypatch):
    _, given = sources(ready(tone_folder, talk))
    monkeypatch.setattr(streamed_source, "_ROOM", 0.3)
    _, narrow = sources(ready(tone_folder, talk))
    assert len(given.words._streams.frames) > 1000
    assert torch.equal(given.words._streams.frames, narrow.words._streams.frames)


def test_streams_that_take_too_much_memory_are_told(tone_folder, talk, monkeypatch):
    monkeypatch.setattr(feature_cache, "memory_bytes", lambda: 2000)
    told = r"training\.copies: is 2: streams of so many copies of [\d,]+ clips, with 0\.0 h of recordings, take "
    with pytest.raises(SettingsError, match=told):
        sources(ready(tone_folder, talk))


@pytest.mark.parametrize("learned", [3, 12, "all"])
def test_what_learns_goes_on_from_what_the_streams_keep(tone_folder, talk, learned):
    window = 2 * WINDOW
    prepared = ready(
        tone_folder,
        talk,
        features={"kind": "speech_embedding", "outputs": "sounds", "trainable": learned},
        audio={"sample_rate": RATE, "clip_seconds": window / RATE, "fit": "end"},
        model={"kind": "temporal_mlp"},
    )
    features = Classifier(prepared.recipe, prepared.corpus.labels).features
    features.fill()
    given = Sources.of(features, prepared, choose_hardware(prepared.recipe.training))
    windows = given.words._streams
    assert windows.shape == features.steady_shape
    stream = next(iter(make_training_streams(prepared, as_they_are)))
    samples = stream.made.samples
    around = quantise(np.concatenate((samples[:window][::-1], samples, samples[-window:][::-1])))
    rows = stream.rows[:3]
    hops = windows.first[rows, stream.copies[:3]] // windows.step
    own = np.stack([around[hop * HOP : hop * HOP + window] for hop in hops])
    heard = features.learned(windows.windows(hops * windows.step))
    expected = features(samples_from_int16(torch.from_numpy(own)))
    assert heard.requires_grad
    torch.testing.assert_close(heard, expected, atol=2e-2, rtol=2e-2)
    one = next(iter(windows.measured(prepared.split.train)))
    assert features.learned(one).shape[1:] == features.shape


def test_features_that_look_at_the_whole_clip_are_told(tone_folder, talk):
    prepared = ready(tone_folder, talk, features={"kind": "mel"})
    with pytest.raises(SettingsError, match=r"centre: false"):
        sources(prepared)


def test_a_recogniser_of_tones_is_trained_on_streams(tone_folder, talk, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    training = {"on": "streams", "epochs": 12, "batch_size": 8, "keep": "last"}
    recipe.write_text(yaml.safe_dump(values(tone_folder, talk, training=training)))
    run = train(recipe, out=tmp_path / "run")
    assert run.metrics()["test"]["accuracy"] >= 0.9


def test_windows_that_hear_a_clip_are_known_the_turned_round_ones_too(tone_folder, talk):
    prepared = ready(tone_folder, talk, rejection={"recordings": [str(talk)], "windows": 10})
    features = Classifier(prepared.recipe, prepared.corpus.labels).features

    def represented(corpus):
        stream = replace(prepared, corpus=corpus)
        return streamed_source.StreamFeatures.of(features, stream, lambda samples, _: samples, Task())

    before = represented(prepared.corpus)
    starts = np.arange(0, len(before.frames) - before.shape[2] + 1, before.step)
    rows, counts = np.unique(before.heard[:, 0], return_counts=True)
    assert counts.max() > counts.min()  # some clip is heard a second time
    for row in rows:
        samples = np.array(prepared.corpus.samples)
        samples[row] *= 1 - 2 * (np.arange(WINDOW, dtype=np.int16) % 2)  # as loud at every place
        apart = before.apart(starts, np.setdiff1d(rows, row))
        after = represented(replace(prepared.corpus, samples=samples))
        moved = np.abs((after.windows(starts) - before.windows(starts)).numpy()).max(axis=(1, 2, 3))
        assert moved[apart].max() < 0.05 < moved[~apart].max()


def test_nothing_of_a_speaker_who_is_left_out_is_heard(tone_folder, talk):
    prepared = ready(tone_folder, talk, rejection={"recordings": [str(talk)], "windows": 10_000})
    _, made = sources(prepared)
    streams, alone = made.negatives._streams, len(made.negatives._alone.samples)
    trained = prepared.split.train
    kept = trained[::2]
    rng = np.random.default_rng(0)
    whole, some = made.beside(trained).negatives, made.beside(kept).negatives
    counts = [len(each.draw(np.random.default_rng(0))) for each in (whole, made.negatives, some)]
    assert counts[0] == counts[1] > counts[2]
    drawn = np.sort(some.draw(rng))
    starts = streams.others[drawn[drawn >= alone] - alone]
    for row, first, last in streams.heard.tolist():
        inside = (starts >= first) & (starts <= last)
        assert row in kept or not inside.any()
    assert len(starts) > 10
    # Every window that names a word hears it.
    for row in prepared.split.train:
        spans = streams.heard[streams.heard[:, 0] == row, 1:].tolist()
        assert any(first <= named <= last for first, last in spans for named in streams.first[row])
    assert sum(map(len, streams.measured(kept))) < sum(map(len, streams.measured(trained)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stream": {"hop_seconds": 0.9}}, "stream.hop_seconds: is 0.9, but a window hears 0.75 s"),
        (
            {"features": {"kind": "mel", "centre": False, "hop_seconds": 0.015}},
            "stream.hop_seconds: is 0.08, but mel moves on by 0.015 s; use a multiple of that",
        ),
        ({"features": {"kind": "mel"}}, "training.on: is streams, but mel as set here looks at a whole clip at once"),
    ],
)
def test_hops_that_do_not_fit_are_told_with_what_fits(tone_folder, talk, changes, said):
    with pytest.raises(SettingsError, match=re.escape(said)):
        sources(ready(tone_folder, talk, **changes))
