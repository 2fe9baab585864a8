"""A run that learns from another one's answers, and the teachers that are refused."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from conftest import one_line, write_tones
from runs_made import small_prepared, small_recipe
from sayso.classifier.checkpoint import save_model
from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.data.splits.settings import LEAVE_ONE_OUT, SplitSettings
from sayso.errors import InterruptedRunError, RunError, SettingsError
from sayso.experiment.run import Run
from sayso.experiment.teacher import find_teacher
from sayso.experiment.train import resume, train
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import recipe_from_values
from sayso.recipe.source import find_recipe
from sayso.studies.trials.checks import Checked, check_splits
from sayso.studies.verification.verify import verify
from sayso.system.files import read_json, write_json
from sayso.system.progress import Progress
from sayso.training.checkpointing import Bookkeeper

KEYS = {"epochs": 25, "learning_rate": 2e-2, "keep": "last", "validation": "none"}


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """The tones, and a teacher of them, in a cache of their own."""
    root = tmp_path_factory.mktemp("taught")
    folder = write_tones(root / "tones")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        yield folder, train(small_recipe(folder, **KEYS), out=root / "teacher", extras=False)


def student(taught, **training):
    folder, teacher = taught
    return small_recipe(folder, **KEYS | {"teacher": str(teacher.path)} | training)


def changed(recipe, **values):
    return prepare(recipe_from_values(merge(dump(recipe), values), source="test"), Progress())


def refusal(prepared):
    with pytest.raises(RunError, match=r"^training\.teacher: ") as caught:
        find_teacher(prepared)
    return str(caught.value)


def test_a_student_learns_words_from_a_teacher_alone(taught, tmp_path):
    run = train(student(taught, teacher_weight=1.0), out=tmp_path / "run", extras=False)
    assert run.metrics()["test"]["accuracy"] > 0.8
    manifest = run.manifest()
    assert manifest["teacher"]["run"] == "teacher"
    assert any("taught by another run" in note for note in manifest["notes"])
    assert [check for check in verify(run.path) if check.holds is False] == []
    # Whoever learns from this one learns from the first teacher, too.
    prepared = prepare(student((taught[0], run)), Progress())
    assert find_teacher(prepared) is not None
    write_json(run.manifest_file, manifest | {"teacher": manifest["teacher"] | {"weights": "other"}})
    assert "had a teacher itself, teacher, and what that heard cannot be looked up" in refusal(prepared)


def test_a_stopped_run_goes_on_bit_for_bit_and_with_no_other_teacher(taught, tmp_path, monkeypatch):
    folder, teacher = taught
    own = Run(shutil.copytree(teacher.path, tmp_path / "own"))
    recipe = student((folder, own), epochs=3)
    whole = train(recipe, out=tmp_path / "whole", extras=False)
    end_epoch = Bookkeeper.end_epoch

    def stops(books, learner, epoch, *, rate):
        if epoch == 3:
            raise KeyboardInterrupt
        end_epoch(books, learner, epoch, rate=rate)

    with monkeypatch.context() as patch:
        patch.setattr(Bookkeeper, "end_epoch", stops)
        with pytest.raises(InterruptedRunError):
            train(recipe, out=tmp_path / "stopped", extras=False)
    stopped = Run.open(tmp_path / "stopped")
    before = own.weights.read_bytes()
    classifier = own.classifier()
    with torch.no_grad():
        next(classifier.network.parameters()).add_(0.1)
    save_model(own.weights, classifier)
    with pytest.raises(RunError, match="its teacher has changed since it was stopped"):
        resume(stopped.path, extras=False)
    own.weights.write_bytes(before)
    resume(stopped.path, extras=False)
    one, other = load_file(whole.weights), load_file(stopped.weights)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_teachers_that_do_not_fit_are_refused(taught, tmp_path):
    folder, teacher = taught
    more = shutil.copytree(folder, tmp_path / "more")
    shutil.copytree(more / "low", more / "lowest")
    recipe = student((more, teacher))
    recipe = replace(recipe, dataset=replace(recipe.dataset, allow_copies=("*",)))
    said = refusal(prepare(recipe, Progress()))
    assert "the same words: it lacks 'lowest'; a teacher and" in said
    shutil.rmtree(more / "lowest")
    shutil.rmtree(more / "middle")
    said = refusal(prepare(recipe, Progress()))
    assert "the same words: 'middle' is what it knows besides; a teacher and" in said
    said = refusal(changed(student(taught), audio={"clip_seconds": 0.4}))
    assert "(8000 Hz, 0.5 s, fit: centre) than this recipe's (8000 Hz, 0.4 s, fit: centre)" in said
    said = refusal(prepare(student(taught, teacher=str(tmp_path / "nowhere")), Progress()))
    assert "no run there" in said
    unfinished = Run(shutil.copytree(teacher.path, tmp_path / "unfinished"))
    write_json(unfinished.manifest_file, read_json(unfinished.manifest_file) | {"finished": False})
    assert "has not finished" in refusal(prepare(student((folder, unfinished)), Progress()))


def test_a_teacher_that_heard_what_is_tested_is_refused(taught):
    prepared = prepare(student(taught), Progress())
    assert find_teacher(prepared) is not None
    others = set(prepared.test_speakers)
    other = changed(student(taught), split={"test_speakers": sorted({"ann", "bob", "cas", "dee"} - others)})
    said = refusal(other)
    assert "heard 18 test clips or near copies of them (" in said
    assert f"2 test speakers ({', '.join(other.test_speakers)})" in said
    # A comparison says so before it trains.
    with pytest.raises(RunError, match=r"^quick fold-2: training\.teacher: .* heard 18 test clips"):
        check_splits([Checked("quick fold-1", prepared), Checked("quick fold-2", other)])
    # Where everybody's clips are drawn, those who speak are heard in any case, but not the clips that test.
    drawn = changed(student(taught), split={"by": "random", "test_share": 0.2})
    said = refusal(drawn)
    heard = set(prepared.split.train) & set(drawn.split.test)
    assert f"heard {len(heard)} test clip" in said
    assert "speaker" not in said


def test_a_teacher_that_heard_what_validates_is_refused(taught):
    said = refusal(changed(student(taught), split={"validation": "share"}))
    assert "validation clip" in said
    assert " test clip" not in said
    assert said.endswith("or split.validation: none")


def test_a_teacher_that_heard_near_copies_is_refused(taught, tmp_path):
    folder, _ = taught
    tested = small_prepared(folder, **KEYS).test_speakers
    for path in sorted(folder.rglob("*.wav")):
        sound, rate = soundfile.read(path)
        copied = tmp_path / "copies" / path.parent.name / f"{path.stem.replace('_', 'x_')}.wav"
        copied.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(copied, (0.5 * sound).astype(np.float32), rate)
    recipe = small_recipe(tmp_path / "copies", **KEYS | {"epochs": 1})
    kept = [f"{name}x" for name in ("ann", "bob", "cas", "dee") if name not in tested]
    recipe = replace(recipe, split=SplitSettings(test_speakers=tuple(kept), validation="none"))
    teacher = train(recipe, out=tmp_path / "copied", extras=False)
    assert "heard 18 test clips or near copies of them (" in refusal(prepare(student((folder, teacher)), Progress()))


def test_a_teacher_whose_clips_are_gone_is_refused(tmp_path):
    folder = write_tones(tmp_path / "tones")
    own = shutil.copytree(folder, tmp_path / "own")
    teacher = train(small_recipe(own, **KEYS | {"epochs": 1}), out=tmp_path / "teacher", extras=False)
    prepared = prepare(student((folder, teacher)), Progress())
    next(own.rglob("ann_0.wav")).unlink()
    assert "cannot be looked up: its clips have changed since it was trained" in refusal(prepared)
    shutil.rmtree(own)
    assert "cannot be looked up (" in refusal(prepared)


@pytest.mark.parametrize(
    "split", [{"folds": 2}, {"folds": LEAVE_ONE_OUT}, {"by": "each_speaker", "validation": "auto"}]
)
def test_a_run_does_not_teach_several_parts(taught, split):
    values = merge(dump(student(taught)), {"split": split})
    with pytest.raises(SettingsError, match=r"training\.teacher: is a run, but split\..*takes a teacher for each part"):
        recipe_from_values(values, source="test")


def test_the_program_says_so_in_one_line_and_leaves_nothing(taught, tmp_path, program):
    folder, teacher = taught
    (tmp_path / "recipe.yaml").write_text(f"dataset: {{kind: folder, path: {folder}, speaker: none}}\n")
    out = tmp_path / "run"
    code, _, err = program("train", tmp_path / "recipe.yaml", "--out", out, "--set", f"training.teacher={teacher.path}")
    assert code == 2
    assert "hears clips of another format" in one_line(err)
    assert not out.exists()


def test_a_teacher_is_found_from_wherever_the_run_goes_on(taught, monkeypatch):
    monkeypatch.chdir(taught[1].path.parent)
    _, recipe = find_recipe(student(taught, teacher="teacher"), progress=Progress())
    assert recipe.training.teacher == str(taught[1].path.resolve())
