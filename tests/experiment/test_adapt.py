"""More words, or more recordings, for a finished run: from the features it kept, in a run of its own."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile

from adapt_made import recipe, write_word
from conftest import RATE, write_tones
from runs_made import small_run
from sayso.classifier.export import export
from sayso.classifier.graph import graph_taken_over
from sayso.data.datasets import find_dataset
from sayso.data.faults.detectors.silence import Silence
from sayso.data.marks import Mark, write_marks
from sayso.errors import DataError, InterruptedRunError, ModelError, RunError, SettingsError
from sayso.experiment.adapt import adapt
from sayso.experiment.run import Run
from sayso.experiment.train import resume, train
from sayso.features.speech_embedding import SpeechEmbedding
from sayso.recipe import addition
from sayso.recipe.prepared import prepare, prepare_with_more
from sayso.studies.verification.verify import verify
from sayso.system.progress import Progress
from sayso.training.checkpointing import Bookkeeper


@pytest.fixture(autouse=True)
def without_voices(monkeypatch):
    monkeypatch.setattr(addition, "is_installed", lambda: False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of three tones, and clips of a fourth, in a cache of its own."""
    root = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        run = train(recipe(write_tones(root / "tones")), out=root / "run")
        write_word(root / "more" / "shrill", 3600.0)
        yield run, root / "more"


@pytest.fixture(scope="module")
def adapted(made, tmp_path_factory):
    run, more = made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(addition, "is_installed", lambda: False)
        patch.setenv("SAYSO_CACHE", str(run.path.parent / "cache"))
        return adapt(run.path, more, out=tmp_path_factory.mktemp("adapted") / "run")


def test_the_new_run_knows_the_new_word_and_the_old_ones(made, adapted, tmp_path):
    run, _ = made
    assert adapted.new_words == ("shrill",)
    recognizer = adapted.run.recognizer()
    assert recognizer.labels == ("high", "low", "middle", "shrill")
    others = write_word(tmp_path / "shrill", 3500.0, speakers=("gil",)).glob("*.wav")
    assert [recognizer.predict(path)[0].label for path in others] == ["shrill"] * 3
    assert adapted.run.metrics()["test"]["n"] == run.metrics()["test"]["n"]
    assert adapted.run.metrics()["test"]["accuracy"] >= run.metrics()["test"]["accuracy"] - 0.1
    assert "of 18 test clips" in adapted.cost


def test_the_old_run_stays_and_the_new_one_says_where_it_is_from(made, adapted):
    run, _ = made
    assert run.classifier().labels == ("high", "low", "middle")
    manifest = adapted.run.manifest()
    assert manifest["adapted_from"]["run"] == run.path.name
    assert manifest["clips"]["train"] == run.manifest()["clips"]["train"] + 6
    assert any("no test clips of 'shrill'" in note for note in manifest["notes"])


def test_it_is_an_ordinary_run(adapted, made, monkeypatch):
    monkeypatch.setenv("SAYSO_CACHE", str(made[0].path.parent / "cache"))
    checks = verify(adapted.run.path)
    assert all(check.holds for check in checks), checks


def test_what_is_known_is_not_represented_again(made, tmp_path, monkeypatch):
    run, more = made
    monkeypatch.setenv("SAYSO_CACHE", str(run.path.parent / "cache"))
    seen = []
    forward = SpeechEmbedding.forward
    monkeypatch.setattr(SpeechEmbedding, "forward", lambda self, clips: seen.append(len(clips)) or forward(self, clips))
    found = adapt(run.path, more, out=tmp_path / "run")
    # Six clips as they are and in three copies; and the 18 test clips, to show that the exported file agrees.
    assert sum(seen) == 6 * 4 + 18
    again = adapt(found.run.path, write_word(tmp_path / "x" / "deep", 150.0).parent, out=tmp_path / "again")
    assert again.run.classifier().labels == ("deep", "high", "low", "middle", "shrill")


def test_more_recordings_of_a_known_word_change_no_word(made, tmp_path):
    run, _ = made
    more = write_word(tmp_path / "more" / "low", 310.0).parent
    found = adapt(run.path, more, out=tmp_path / "run")
    assert found.new_words == ()
    assert found.run.classifier().labels == run.classifier().labels


def test_new_words_are_spoken_by_synthetic_voices_too(made, tmp_path, monkeypatch):
    run, more = made
    monkeypatch.setattr(addition, "is_installed", lambda: True)
    monkeypatch.setattr(addition, "_VOICES", 3)
    found = adapt(run.path, more, language="en", out=tmp_path / "run")
    assert found.run.manifest()["clips"]["train"] == run.manifest()["clips"]["train"] + 6 + 3
    synthetic = found.run.settings.dataset.training[-1]
    assert (synthetic.words, synthetic.voices) == (("shrill",), 3)


def test_words_that_voices_cannot_tell_apart_train_without_them(made, tmp_path, monkeypatch):
    monkeypatch.setattr(addition, "is_installed", lambda: True)
    more = write_word(tmp_path / "more" / "high", 3600.0).parent
    dataset = find_dataset(str(more))
    made_of = addition.add_clips(made[0].settings, ("hi", "low"), dataset, trained=36, progress=Progress())
    assert made_of.voices == 0
    assert "sound alike" in made_of.note


def test_the_program_says_what_it_cost(made, tmp_path, program):
    run, more = made
    code, out, err = program("adapt", run.path, more, "--out", tmp_path / "run")
    assert code == 0, err
    assert "note: 6 recordings added (6 of 'shrill') (no voices beside them: the extra voices is not installed)" in err
    assert "old words " in out
    assert "shrill: nothing tests them" in out
    told = {place: program("adapt", run.path, place) for place in ("/nowhere", "fsdd")}
    assert all((code, f"{place}: no such folder" in err) == (2, True) for place, (code, _, err) in told.items())


def test_a_folder_that_is_taken_is_told_before_anything_is_done(made, tmp_path, monkeypatch):
    run, more = made
    monkeypatch.setattr("sayso.experiment.adapt.prepare", lambda *_: pytest.fail("begun"))
    with pytest.raises(RunError, match="exists and is not empty, nothing was changed"):
        adapt(run.path, more, out=run.path)


def test_copies_of_test_clips_are_refused_and_nothing_is_left(made, tmp_path):
    run, _ = made
    prepared = prepare(run.settings, Progress())
    tested = prepared.corpus.clips[prepared.split.test[0]].path
    more = write_word(tmp_path / "more" / "shrill", 3600.0).parent
    shutil.copy(tested, more / "shrill" / "copy.wav")
    with pytest.raises(DataError, match=r"the very samples of a training.*; give a folder without the copies$"):
        adapt(run.path, more, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_another_spelling_of_a_known_word_is_asked_about(made, tmp_path):
    more = write_word(tmp_path / "more" / "Low", 300.0).parent
    with pytest.raises(DataError, match=r"'Low' and the run's 'low' differ in capitals or spaces alone"):
        adapt(made[0].path, more, out=tmp_path / "run")


def test_words_to_reject_and_strange_languages_are_told(made, tmp_path, monkeypatch):
    more = write_word(tmp_path / "more" / "middle", 900.0).parent
    rejecting = recipe(tmp_path / "tones", dataset={"reject_words": ["middle"]})
    with pytest.raises(DataError, match=r"'middle' is among the run's dataset\.reject_words"):
        addition.add_clips(rejecting, ("high", "low"), find_dataset(str(more)), trained=24, progress=Progress())
    monkeypatch.setattr(addition, "is_installed", lambda: True)
    with pytest.raises(SettingsError, match=r"--language: .*klingon"):
        adapt(made[0].path, made[1], language="klingon", out=tmp_path / "run")


def test_a_model_for_streams_is_adapted_on_streams(made, tmp_path):
    run, more = made
    heard = {"on": "streams", "copies": 2}
    streams = recipe(
        run.settings.dataset.path, training=heard, rejection={"recordings": [str(more)], "negatives_weight": 2.0}
    )
    added = addition.add_clips(
        streams, ("high", "low", "middle"), find_dataset(str(more)), trained=36, progress=Progress()
    )
    assert added.recipe.training.on == "streams"
    assert (added.recipe.training.copies, added.recipe.augment) == (2, ())
    # 25 epochs of 5,000 windows, and 40 of so many: as long as the run itself at most
    assert (added.recipe.training.epochs, added.recipe.rejection.windows) == (40, 3125)
    many = addition.add_clips(
        streams, ("high", "low", "middle"), find_dataset(str(more)), trained=9_000, progress=Progress()
    )
    assert (many.recipe.training.epochs, many.recipe.rejection.windows) == (8, 5000)


@pytest.mark.parametrize(("trained", "epochs"), [(100, 40), (2_560, 20), (50_000, 8)])
def test_new_words_take_half_the_steps_of_more_recordings(made, trained, epochs):
    run, more = made
    known = ("high", "low", "middle")
    for words, batch, copies in ((known, 256, 3), ((*known, "shrill"), 128, 4)):
        added = addition.add_clips(run.settings, words, find_dataset(str(more)), trained=trained, progress=Progress())
        training = added.recipe.training
        assert (training.epochs, training.batch_size, training.copies) == (epochs, batch, copies)


def test_copies_that_are_all_alike_are_none_to_add_recordings_by(made):
    run, more = made
    alike = recipe(
        run.settings.dataset.path,
        augment=[{"kind": "time_shift", "most_seconds": 0.0, "middle_seconds": -0.08}],
        training={"copies": 1},
    )
    added = addition.add_clips(
        alike, ("high", "low", "middle"), find_dataset(str(more)), trained=36, progress=Progress()
    )
    assert added.recipe.training.copies == 3
    assert "noise" in [part.kind for part in added.recipe.augment]


def test_files_that_could_not_be_read_before_are_not_tried_again(tmp_path):
    folder = write_tones(tmp_path / "tones")
    (folder / "low" / "ann_9.wav").write_bytes(b"no sound")
    (folder / "_background_noise_").mkdir()
    (folder / "_background_noise_" / "broken.wav").write_bytes(b"no sound")
    soundfile.write(folder / "_background_noise_" / "hum.wav", np.full(RATE, 0.1, np.float32), RATE)
    run = train(recipe(folder), out=tmp_path / "run")
    more = write_word(tmp_path / "more" / "shrill", 3600.0).parent
    before = prepare(run.settings, Progress())
    dataset = find_dataset(str(more))
    added = addition.add_clips(run.settings, before.corpus.labels, dataset, trained=30, progress=Progress())
    after = prepare_with_more(before, added.recipe, Progress())
    assert len(after.corpus) == len(before.corpus) + 6 == 42
    assert len(after.corpus.noise) == 1
    assert len(after.corpus.skipped) == 1


def test_runs_that_cannot_be_adapted_are_told(made, tmp_path):
    run, more = made
    other = small_run(write_tones(tmp_path / "tones"), tmp_path / "mel", epochs=1)
    with pytest.raises(RunError, match=r"learned on mel, and only runs on a frozen, pretrained representation"):
        adapt(other.path, more, out=tmp_path / "new")
    copy = Run(shutil.copytree(run.path, tmp_path / "copy"))
    learned = Run(shutil.copytree(run.path, tmp_path / "learned"))
    learned.recipe.write_text(learned.recipe.read_text().replace("trainable: none", "trainable: all"))
    with pytest.raises(RunError, match="its features went on learning, and only runs on a frozen"):
        adapt(learned.path, more, out=tmp_path / "new")
    copy.kept_features.write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"features.safetensors: cannot be read as kept features"):
        adapt(copy.path, more, out=tmp_path / "new")
    copy.kept_features.unlink()
    with pytest.raises(RunError, match="keeps no features of its clips"):
        adapt(copy.path, more, out=tmp_path / "new")
    copy.manifest_file.unlink()
    with pytest.raises(RunError, match=r"has no manifest\.json, which its training left there; bring it back"):
        adapt(copy.path, more, out=tmp_path / "new")
    shutil.copy(run.manifest_file, copy.manifest_file)
    copy.weights.unlink()
    with pytest.raises(RunError, match=r"has no model\.safetensors, which its training left there; bring it back"):
        adapt(copy.path, more, out=tmp_path / "new")
    with pytest.raises(DataError, match="all of these clips are in the run already"):
        adapt(run.path, run.settings.dataset.path, out=tmp_path / "new")
    grown = write_word(Path(run.settings.dataset.path) / "shrill", 3600.0)
    with pytest.raises(RunError, match=r" \(\d+ then, \d+ now\); put new ones into a folder of their own"):
        adapt(run.path, grown.parent, out=tmp_path / "new")
    shutil.rmtree(grown)
    assert not (tmp_path / "new").exists()


def test_one_that_is_stopped_leaves_nothing(made, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Bookkeeper, "begin_epoch", stop)
    with pytest.raises(InterruptedRunError, match="nothing is left of it"):
        adapt(made[0].path, made[1], out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_quick_look_is_taken_at_what_is_new_alone(made, tmp_path, monkeypatch):
    run, more = made
    monkeypatch.setenv("SAYSO_CACHE", str(run.path.parent / "cache"))
    before = prepare(run.settings, Progress())
    clips = shutil.copytree(more, tmp_path / "more")
    loud, rate = soundfile.read(clips / "shrill" / "eve_0.wav")
    soundfile.write(clips / "shrill" / "eve_0.wav", loud * 10 ** (-60 / 20), rate, "PCM_24")
    looked_at = []
    measure = Silence.measure
    monkeypatch.setattr(Silence, "measure", lambda self, *args: looked_at.append(args) or measure(self, *args))
    dataset = find_dataset(str(clips))
    added = addition.add_clips(run.settings, before.corpus.labels, dataset, trained=18, progress=Progress())
    line = prepare_with_more(before, added.recipe, Progress()).quick_look
    assert line.startswith("a quick look found silence in 1 clip (shrill/eve_0.wav, ")
    assert line.endswith(f": sayso audit {clips} looks closer")
    assert len(looked_at) == 6


def test_it_does_not_wait_for_lightning(made, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sayso.training.lightning_loop", None)
    assert adapt(made[0].path, made[1], out=tmp_path / "run").run.finished


def test_one_that_was_killed_is_begun_anew_not_trained_from_nothing(adapted, tmp_path):
    copy = shutil.copytree(adapted.run.path, tmp_path / "run")
    facts = {**adapted.run.manifest(), "finished": False}
    (copy / "manifest.json").write_text(json.dumps(facts))
    with pytest.raises(RunError, match=r"sayso adapt was stopped in the middle.*seconds; remove the folder"):
        resume(copy)


def test_a_graph_serves_again_with_other_weights(made, adapted, tmp_path):
    run, _ = made
    clips = np.array(prepare(run.settings, Progress()).corpus.samples[:8])
    classifier = adapted.run.classifier()
    anew, again = tmp_path / "anew.onnx", tmp_path / "again.onnx"
    export(classifier, anew, clips)
    agreement = export(classifier, again, clips, like=run.onnx)
    assert agreement.max_abs_difference <= agreement.limit
    graphs = [onnx.load(str(path)).graph for path in (anew, again)]
    assert [graph.output[0].type.tensor_type.shape.dim[1].dim_value for graph in graphs] == [4, 4]
    assert len(graphs[0].node) == len(graphs[1].node)
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"no graph at all")
    agreement = export(classifier, again, clips, like=damaged)
    assert agreement.max_abs_difference <= agreement.limit
    # As one that an older front end wrote: its constants are others, and it may do with them what this one does not.
    older = onnx.load(str(run.onnx))
    kept = classifier.state_dict()
    constants = [entry for entry in older.graph.initializer if entry.name.startswith("features.bands.")]
    assert constants
    assert not {entry.name for entry in constants} & kept.keys()
    for entry in constants:
        entry.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(entry) / 2, entry.name))
    onnx.save(older, str(tmp_path / "older.onnx"))
    assert graph_taken_over(run.onnx, classifier, classifier.classes, {}) is not None
    assert graph_taken_over(tmp_path / "older.onnx", classifier, classifier.classes, {}) is None
    agreement = export(classifier, again, clips, like=tmp_path / "older.onnx")
    assert agreement.max_abs_difference <= agreement.limit


def test_marked_clips_are_left_out_or_given_their_word(made, tmp_path):
    run, _ = made
    write_word(tmp_path / "more" / "shrill", 3600.0)
    write_word(tmp_path / "more" / "high", 3600.0, speakers=("hal",), clips=2)
    table = tmp_path / "marks.csv"
    wrong, bad = tmp_path / "more" / "high" / "hal_0.wav", tmp_path / "more" / "high" / "hal_1.wav"
    write_marks(table, [Mark(str(wrong), None, "relabel", "shrill"), Mark(str(bad), None, "exclude")])
    told = adapt(run.path, tmp_path / "more", marks=table, out=tmp_path / "run")
    trained = [clip for clip in prepare(told.run.settings, Progress()).corpus.clips if "/more/" in clip.path]
    assert {(clip.label, clip.path.split("/")[-2]) for clip in trained} == {("shrill", "shrill"), ("shrill", "high")}
    assert len(trained) == 7
    with pytest.raises(DataError, match=r"none\.csv"):
        adapt(run.path, tmp_path / "more", marks=tmp_path / "none.csv", out=tmp_path / "other")
    assert not (tmp_path / "other").exists()
