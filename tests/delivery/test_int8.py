"""`sayso export --int8`: what is written and said of it, and what is refused."""

import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest

from layers_made import SAMPLES, write_layered_model
from models_made import loudness_model
from sayso.audio import to_float
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.data.splits.split import Split
from sayso.delivery import int8 as room
from sayso.delivery.int8 import Int8Clips, check_int8, draw_evenly, export_int8
from sayso.delivery.int8_measures import Lost, Speed, measure_lost
from sayso.delivery.model_bytes import read_metadata, with_metadata
from sayso.errors import DataError, ModelError, OutputError
from sayso.runs.folder import RunFolder
from sayso.runtime import Recognizer
from sayso.system.files import file_digest, write_json

FAST = Speed((2.0, 1.0), (1.5, 0.5), "a processor")


@pytest.fixture
def trained(made_run):
    """A run whose model names every clip rightly, since the clips are called as it calls them."""
    run = RunFolder(made_run("run"))
    write_json(run.manifest_file, {"finished": True})
    heard = np.random.default_rng(0).integers(-9000, 9000, (80, SAMPLES)).astype(np.int16)
    model = Recognizer(write_layered_model(run.onnx))
    words = [model.labels[place] for place in model.logits(to_float(heard)).argmax(axis=1)]
    clips = tuple(Clip(f"{place}.wav", word, f"person {place % 4}") for place, word in enumerate(words))
    rows = np.arange(len(heard))
    return run, Int8Clips(Corpus(clips, heard, model.audio), Split(rows[:40], rows[40:60], rows[60:], "random"))


@pytest.fixture
def no_clock(monkeypatch):
    """Speed is not what most tests are about, and no test may hang on it."""
    monkeypatch.setattr(room, "measure_speed", lambda *given: FAST)


def test_an_int8_model_is_read_like_any_other_and_says_what_it_is(trained, tmp_path, no_clock):
    run, clips = trained
    done = export_int8(run, tmp_path / "small", clips, points_lost=100)
    path = done.folder / "model.onnx"
    one, other = Recognizer(run.onnx), Recognizer(path)
    heard = to_float(np.array(clips.corpus.samples[:8]))
    expected = one.logits(heard)
    assert 0 < np.abs(other.logits(heard) - expected).max() < 0.2 * np.abs(expected).max()
    assert (other.labels, other.audio, other.threshold) == (one.labels, one.audio, one.threshold)
    facts = json.loads(read_metadata(path.read_bytes())["int8"])
    assert facts == done.facts
    assert facts["made_from_sha256"] == file_digest(run.onnx)
    assert facts["validation"]["n"] == len(clips.split.validation)
    assert facts["bytes"]["int8"] < facts["bytes"]["float"]
    assert facts["network_bytes"]["int8"] < facts["network_bytes"]["float"]
    assert other.card == (done.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "## In int8, and in float" in other.card
    assert "sayso export RUN --int8" in other.card
    assert str(run.path) not in "".join(read_metadata(path.read_bytes()).values())
    assert {each.name for each in (done.folder / "LICENSES").iterdir()} == {"Apache-2.0.txt", "README.txt"}


def test_what_loses_too_much_is_refused_and_leaves_nothing(trained, tmp_path, no_clock):
    run, clips = trained
    silent = np.array(clips.corpus.samples)
    silent[clips.split.train] //= 500  # ranges of near silence: activations are cut off
    misled = Int8Clips(replace(clips.corpus, samples=silent), clips.split)
    with pytest.raises(ModelError, match=r"points of accuracy .* are lost .* the limit is 0.5; .* --points-lost \d+"):
        export_int8(run, tmp_path / "small", misled)
    assert not (tmp_path / "small").exists()
    assert export_int8(run, tmp_path / "small", misled, points_lost=100).facts["validation"]["lost"] > 0.005


def test_what_is_slower_is_refused_unless_it_is_asked_for(trained, tmp_path, monkeypatch):
    run, clips = trained
    monkeypatch.setattr(room, "measure_speed", lambda *given: Speed((1.0, 1.05), (0.5, 0.55), "a processor"))
    with pytest.raises(ModelError, match=r"slower here, 1\.05 ms a clip instead of 1\.00 \(a processor\)"):
        export_int8(run, tmp_path / "small", clips, points_lost=100)
    assert not (tmp_path / "small").exists()
    export_int8(run, tmp_path / "small", clips, points_lost=100, slower=True)
    # A hundredth of the whole is nothing that a clock can tell.
    assert replace(FAST, file=(1.0, 1.01), network=(0.02, 0.03)).slower_by == pytest.approx(0.01)


def test_clips_that_are_missing_are_said(trained, tmp_path, no_clock):
    run, clips = trained
    none = clips.split.train[:0]
    with pytest.raises(DataError, match="no clips to calibrate by"):
        export_int8(run, tmp_path / "small", Int8Clips(clips.corpus, replace(clips.split, train=none)))
    with pytest.raises(DataError, match="no validation clips to judge int8 by"):
        export_int8(run, tmp_path / "small", Int8Clips(clips.corpus, replace(clips.split, validation=none)))
    assert not (tmp_path / "small").exists()


def test_what_cannot_become_int8_is_said_before_clips_are_read(trained, tmp_path):
    run, _ = trained
    with pytest.raises(ModelError, match="no such model file"):
        check_int8(tmp_path / "nothing.onnx", tmp_path / "small")
    with pytest.raises(ModelError, match="nothing: no such model file"):
        check_int8(run.path / "nothing", tmp_path / "small")
    with pytest.raises(ModelError, match="so name the folder of its run"):
        check_int8(loudness_model(tmp_path / "alone.onnx"), tmp_path / "small")
    (tmp_path / "damaged.onnx").write_bytes(b"\xff" * 20)
    with pytest.raises(ModelError, match="damaged"):
        check_int8(tmp_path / "damaged.onnx", tmp_path / "small")
    with pytest.raises(OutputError, match="is there already"):
        check_int8(run.path, run.path)
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    shutil.copy(run.recipe, unfinished)
    stopped = (
        r"unfinished: has no model\.onnx; if its training was stopped, `sayso train --resume .*unfinished` goes on"
    )
    with pytest.raises(ModelError, match=stopped + ", if not, bring the file back or train anew"):
        check_int8(unfinished, tmp_path / "small")
    shutil.copy(run.manifest_file, unfinished)
    loudness_model(unfinished / "model.onnx")  # its layer came from nowhere that is known
    with pytest.raises(ModelError, match=r"gain nothing, as 0\.0 % of its networks' numbers"):
        check_int8(unfinished, tmp_path / "small")
    done = unfinished / "int8"
    done.mkdir()
    (done / "model.onnx").write_bytes(with_metadata(run.onnx.read_bytes(), {"int8": "{}"}))
    with pytest.raises(ModelError, match="is int8 already; name the run that it was made from"):
        check_int8(done, tmp_path / "small")


def test_clips_to_calibrate_by_are_drawn_evenly_and_always_the_same(trained):
    _, clips = trained
    words = ("rare", *["often"] * 79)
    corpus = replace(clips.corpus, clips=tuple(map(Clip, map(str, range(80)), words)))
    rows = np.arange(0, 80, 2)
    drawn = draw_evenly(corpus, rows, clips=6)
    assert sorted(corpus.clips[row].label for row in drawn) == [*["often"] * 5, "rare"]
    assert set(drawn.tolist()) <= set(rows.tolist())
    np.testing.assert_array_equal(drawn, draw_evenly(corpus, rows, clips=6))
    assert sorted(draw_evenly(corpus, rows).tolist()) == rows.tolist()


def test_what_is_lost_has_a_paired_interval(trained):
    _, clips = trained
    rows = clips.split.train
    right = np.ones(len(rows), bool)
    worse = right & (np.arange(len(rows)) > 1)
    lost = measure_lost(right, worse, clips.corpus, rows)
    assert lost.lost == pytest.approx(2 / len(rows))
    assert lost.interval[0] < lost.lost < lost.interval[1]
    one = measure_lost(right[:1], right[:1], clips.corpus, rows[:1])
    assert one == Lost(1, 1.0, 1.0, (-1.0, 1.0))


@pytest.mark.parametrize(
    ("in_float", "in_int8", "is_more"), [(199, 198, False), (199, 197, True), (198, 199, False), (199, math.nan, True)]
)
def test_a_loss_of_just_the_limit_is_no_more_than_that(in_float, in_int8, is_more):
    assert Lost(200, in_float / 200, in_int8 / 200, (0.0, 0.01)).is_more_than(0.5) == is_more
