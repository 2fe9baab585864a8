"""A run whose teacher is trained first, by a recipe, on the clips that train here."""

import shlex
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from conftest import one_line, write_tones
from runs_made import small_recipe
from sayso import training
from sayso.classifier.checkpoint import load_model
from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.data.splits.settings import LEAVE_ONE_OUT
from sayso.errors import InterruptedRunError, RunError, SettingsError
from sayso.experiment.run import Run
from sayso.experiment.teacher import find_teacher
from sayso.experiment.train import resume, train
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import read_recipe, recipe_from_values, recipe_yaml
from sayso.recipe.source import find_recipe
from sayso.recipe.teaching import teaching_recipe
from sayso.studies.lr_finder import find_lr
from sayso.studies.trials.checks import Checked, check_splits
from sayso.studies.trials.trial import Trial, is_finished, train_trial
from sayso.system.files import file_digest
from sayso.system.progress import Progress
from sayso.training import Teacher, compute_features
from sayso.training.checkpointing import Bookkeeper
from sayso.training.hardware import choose_hardware

KEYS = {"epochs": 2, "learning_rate": 2e-2, "keep": "last"}


class Notes(Progress):
    def __init__(self):
        self.said = []

    def note(self, text):
        self.said.append(text)


@pytest.fixture
def tones(tmp_path):
    """Tones, and the recipe of a teacher that knows nothing of them."""
    folder = write_tones(tmp_path / "tones")
    teacher = small_recipe(folder, **KEYS | {"seed": 7, "learning_rate": 1e-2})
    values = merge(dump(teacher), {"dataset": {"path": str(tmp_path / "elsewhere")}, "model": {"channels": [8, 8, 8]}})
    (tmp_path / "large.yaml").write_text(recipe_yaml(recipe_from_values(values, source="test")))
    return folder


def student(tones, **keys):
    return small_recipe(tones, **KEYS | {"teacher": str(tones.parent / "large.yaml")} | keys)


def stopping_before(epoch_to_stop, *, of):
    """An `end_epoch` that Ctrl-C stops in the run whose folder is called so."""
    end_epoch = Bookkeeper.end_epoch

    def stops(books, learner, epoch, *, rate):
        if epoch == epoch_to_stop and books.run.path.name == of:
            raise KeyboardInterrupt
        end_epoch(books, learner, epoch, rate=rate)

    return stops


def same_weights(one, other):
    first, second = load_file(one.weights), load_file(other.weights)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_teacher_is_trained_first_on_the_same_clips(tones, tmp_path):
    progress = Notes()
    run = train(student(tones), out=tmp_path / "run", extras=False, progress=progress)
    teacher = Run.open(run.teacher.path)
    assert teacher.finished
    assert [note for note in progress.said if "trained first, on the same clips, by large.yaml" in note]
    assert len(progress.said) == len(set(progress.said))
    # Its own network and training, the student's clips, parts and seed.
    assert teacher.settings.model != run.settings.model
    assert teacher.settings.training.learning_rate == 1e-2
    assert teacher.settings.training.seed == run.settings.training.seed
    assert teacher.settings.dataset == run.settings.dataset
    theirs, own = teacher.manifest(), run.manifest()
    assert (theirs["data_hash"], theirs["split_hash"]) == (own["data_hash"], own["split_hash"])
    assert own["teacher"]["run"] == "teacher"
    assert own["teacher"]["weights"] == file_digest(teacher.weights)
    assert own["duration_seconds"] > theirs["duration_seconds"]
    # Whoever learns from this run learns from its teacher, too.
    other = prepare(small_recipe(tones, **KEYS | {"teacher": str(run.path)}), Progress())
    assert find_teacher(other) is not None
    held = {"split": {"by": "speakers", "test_speakers": [other.corpus.clips[other.split.train[0]].speaker]}}
    other = prepare(recipe_from_values(merge(dump(other.recipe), held), source="test"), Progress())
    with pytest.raises(RunError, match=r"heard .* test clip"):
        find_teacher(other)


@pytest.mark.parametrize("stopped_in", ["teacher", pytest.param("stopped", marks=pytest.mark.slow)])
def test_a_run_that_is_stopped_with_its_teacher_goes_on_bit_for_bit(tones, tmp_path, monkeypatch, stopped_in):
    whole = train(student(tones), out=tmp_path / "whole", extras=False)
    with monkeypatch.context() as patch:
        patch.setattr(Bookkeeper, "end_epoch", stopping_before(2, of=stopped_in))
        with pytest.raises(InterruptedRunError, match=r"sayso train --resume \S*/stopped$"):
            train(student(tones), out=tmp_path / "stopped", extras=False)
    run = Run.open(tmp_path / "stopped")
    assert run.teacher.finished == (stopped_in == "stopped")
    # What the file says by now is not what the run was begun with.
    (tmp_path / "large.yaml").write_text("gone: true\n")
    if stopped_in == "stopped":
        weights = run.teacher.weights.read_bytes()
        shutil.copy(run.weights, run.teacher.weights)
        with pytest.raises(RunError, match="its teacher has changed since it was stopped"):
            resume(run.path, extras=False)
        run.teacher.weights.write_bytes(weights)
    before = run.teacher.manifest_file.stat().st_mtime_ns
    resume(run.path, extras=False)
    assert (run.teacher.manifest_file.stat().st_mtime_ns == before) == (stopped_in == "stopped")
    assert same_weights(run.teacher, whole.teacher)
    assert same_weights(run, whole)


@pytest.mark.parametrize("copies", [pytest.param(None, marks=pytest.mark.slow), 2])
def test_who_is_left_out_is_unheard_by_the_teacher_too(tones, tmp_path, monkeypatch, copies):
    values = merge(dump(student(tones, copies=copies)), {"split": {"by": "each_speaker", "validation": "auto"}})
    heard = []
    fit = training.fit

    def spies(prepared, run, sources=None, start=None, teacher=None):
        heard.append((run.path, prepared, sources, teacher))
        return fit(prepared, run, sources, start, teacher)

    monkeypatch.setattr(training, "fit", spies)
    run = train(recipe_from_values(values, source="test"), out=tmp_path / "run", extras=False)
    own = [each for each in heard if run.path in each[0].parents and run.teacher.path not in each[0].parents]
    own = [each for each in own if each[0].parent.name == "folds"]
    assert len(own) == 4
    whole = heard[-1][1]
    hardware, rows = choose_hardware(whole.recipe.training), whole.split.train
    for place, (path, _, sources, teacher) in enumerate(own):
        weights = run.teacher.fold(place).weights
        assert path == run.fold(place).path
        assert teacher.weights_digest == file_digest(weights)
        # Its answers are those that a training with this teacher alone would hear.
        anew = compute_features(whole, hardware, None, Teacher(load_model(weights), ""))
        features = load_model(path / "model.safetensors").features
        here, there = (
            each.words.for_training(
                features, rows, epoch=1, generator=torch.Generator().manual_seed(1), device=torch.device("cpu")
            )
            for each in (sources, anew)
        )
        assert torch.equal(here.features, there.features)
        assert torch.equal(here.taught, there.taught)
    assert heard[-1][3].weights_digest == file_digest(run.teacher.weights)
    assert run.metrics()["test"]["n"] == len(whole.corpus)


def test_each_fold_has_a_teacher(tones):
    prepared = [
        prepare(
            recipe_from_values(
                merge(dump(student(tones)), {"split": {"folds": LEAVE_ONE_OUT, "fold": fold}}), source=""
            ),
            Progress(),
        )
        for fold in range(2)
    ]
    for each in prepared:
        same = prepare(teaching_recipe(each.recipe), Progress())
        assert same.split.split_hash == each.split.split_hash
    assert prepared[0].split.split_hash != prepared[1].split.split_hash
    check_splits([Checked("a", each) for each in prepared])


def test_a_trial_whose_teacher_is_told_otherwise_is_another_one(tones, tmp_path):
    recipe = replace(student(tones), training=replace(student(tones).training, threads=1))
    trial = Trial("student", "own", 0, 1, recipe_yaml(recipe), prepare(recipe, Progress()).corpus.content_hash, {})
    train_trial(trial, tmp_path / "trial")
    assert is_finished(trial, tmp_path / "trial")
    file = tmp_path / "large.yaml"
    file.write_text(file.read_text().replace("learning_rate: 0.01", "learning_rate: 0.02"))
    assert not is_finished(trial, tmp_path / "trial")


def test_a_recipe_names_its_teacher_from_where_it_lies(tones, tmp_path, monkeypatch):
    below = tmp_path / "recipes" / "small"
    below.mkdir(parents=True)
    (below / "small.yaml").write_text("dataset: {kind: fsdd}\ntraining: {teacher: ../large.yaml}\n")
    (below / "more.yaml").write_text("extends: small.yaml\ntraining: {epochs: 3}\n")
    (tmp_path / "more.yaml").write_text("extends: recipes/small/more.yaml\n")
    monkeypatch.chdir(tmp_path)
    for name in ("recipes/small/small.yaml", "more.yaml"):
        _, recipe = find_recipe(name, progress=Progress())
        assert recipe.training.teacher == str((tmp_path / "recipes" / "large.yaml").resolve())
    # Upon the command line it is seen from there.
    _, recipe = find_recipe("more.yaml", ["training.teacher=large.yaml"], progress=Progress())
    assert recipe.training.teacher == str((tmp_path / "large.yaml").resolve())


def test_teachers_that_cannot_be_trained_are_told_at_once(tones, tmp_path, program):
    out, recipe = tmp_path / "run", tmp_path / "small.yaml"
    recipe.write_text(recipe_yaml(student(tones)))
    for teacher, said in (
        ("nowhere.yaml", "nowhere.yaml: no such recipe"),
        ("circle.yaml", "training.teacher: goes round in a circle"),
        ("rate.yaml", "on its student's clips: features."),
    ):
        if teacher == "circle.yaml":
            (tmp_path / teacher).write_text(recipe_yaml(student(tones, teacher=str(tmp_path / teacher))))
        if teacher == "rate.yaml":
            (tmp_path / teacher).write_text(
                "dataset: {kind: fsdd}\nfeatures: {kind: speech_embedding}\nmodel: {kind: pooled_mlp}\n"
            )
        code, _, err = program("train", recipe, "--out", out, "--set", f"training.teacher={tmp_path / teacher}")
        assert code == 2
        assert said in one_line(err)
        assert not out.exists()
        _, read = find_recipe(recipe, [f"training.teacher={tmp_path / teacher}"], progress=Progress())
        with pytest.raises(SettingsError):
            check_splits([Checked("small", prepare(read, Progress()))])


def test_no_rate_is_searched_with_a_teacher_that_is_not_there_yet(tones, tmp_path):
    (tmp_path / "small.yaml").write_text(recipe_yaml(student(tones)))
    with pytest.raises(RunError, match=r"large\.yaml is a recipe, by which sayso train") as caught:
        find_lr(tmp_path / "small.yaml", out=tmp_path)
    told = shlex.split(str(caught.value).rpartition("--set ")[2])
    assert read_recipe(tmp_path / "small.yaml", told).training.teacher == ""
