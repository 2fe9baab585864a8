"""The folder of a run: opened, found, refused, and read file by file."""

import json
import math

import pytest

from runs_made import small_run
from sayso.errors import OutputError, RunError
from sayso.experiment.run import Run
from sayso.runs.folder import RunFolder, list_runs, new_run_folder
from sayso.runs.manifest import Manifest
from sayso.runs.metrics import Metrics


def test_a_run_is_opened_as_what_opens_it(made_run):
    folder = made_run("one")
    assert type(RunFolder.open(folder)) is RunFolder
    assert type(Run.open(str(folder))) is Run


def test_where_no_run_is_those_nearby_are_named(made_run, tmp_path):
    made_run("one")
    with pytest.raises(RunError, match=r"no run there .* there is .*one$"):
        RunFolder.open(tmp_path / "two")
    assert [run.path.name for run in list_runs(tmp_path)] == ["one"]
    for name in ("three", "four", "five", "six"):
        made_run(name)
    with pytest.raises(RunError, match=r"no run there .* there are .*, .*, .* and 2 more$"):
        RunFolder.open(tmp_path / "two")


@pytest.mark.parametrize(
    ("name", "keys", "value"),
    [
        ("metrics", ("test", "accuracy"), None),
        ("metrics", ("test", "n"), "12"),
        ("metrics", ("test", "confusion", "counts"), [["x"]]),
        ("metrics", ("test", "confusion"), {}),
        ("metrics", ("test", "per_class", "low", "recall"), "0.5"),
        ("metrics", ("test", "loss"), math.nan),
        ("metrics", ("test", "reliability"), [3]),
        ("metrics", ("parameters",), True),
        ("metrics", ("labels",), "low"),
        ("manifest", ("clips", "test"), None),
        ("manifest", ("training_seconds",), "long"),
        ("manifest", ("speakers_shared",), [0]),
    ],
)
def test_values_that_no_run_leaves_are_damage(made_run, name, keys, value):
    folder = RunFolder(made_run("one"))
    path = folder.path / f"{name}.json"
    getattr(folder, name)()
    whole = inner = json.loads(path.read_text())
    for key in keys[:-1]:
        inner = inner.setdefault(key, {})
    inner[keys[-1]] = value
    path.write_text(json.dumps(whole))
    with pytest.raises(RunError, match=rf"{name}\.json: damaged; train again, or remove the run"):
        getattr(folder, name)()


def test_a_run_that_finds_no_room_after_an_epoch_says_how_it_goes_on(tmp_path):
    def train(epochs):
        with new_run_folder("name", tmp_path / "run") as run:
            run.recipe.write_text("recipe")
            for _ in range(epochs):
                run.log.write_text("epoch")
            raise OutputError("cannot write here: the disk is full")

    for epochs, mend in ((0, ""), (1, r"\. Go on with: sayso train --resume .*run")):
        with pytest.raises(OutputError, match=rf"the disk is full{mend}$"):
            train(epochs)
        assert (tmp_path / "run").exists() == (epochs > 0)


@pytest.mark.parametrize("name", ["metrics", "manifest"])
@pytest.mark.parametrize(
    ("text", "says"), [(None, "has not finished"), ("{", "damaged"), ("[]", "damaged"), ("[" * 3_000, "damaged")]
)
def test_files_that_are_not_whole_are_told(made_run, name, text, says):
    folder = made_run("one")
    path = folder / f"{name}.json"
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(RunError, match=says):
        getattr(RunFolder(folder), name)()


def test_a_run_that_is_not_whole_says_what_is_to_be_done(made_run, program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = RunFolder(made_run("runs/one"))
    begun = run.manifest_file.read_text()
    run.manifest_file.write_text('{"finished": "2026-11-30T10:00:00"}')
    run.check_finished()
    run.manifest_file.write_text(begun)
    with pytest.raises(RunError, match=r"one: has not finished, so no; sayso train --resume .*one$"):
        run.check_finished(", so no")
    run.manifest_file.unlink()
    with pytest.raises(RunError, match=r"has no manifest\.json, the run has not finished; go on with"):
        run.check_finished()
    assert "unfinished; sayso train --resume" in program("runs", "list")[1]
    run.weights.write_bytes(b"weights")
    with pytest.raises(RunError, match=r"has no manifest\.json, which its training left there; bring it back"):
        run.check_finished()
    assert "lost its manifest.json; bring it back" in program("runs", "list")[1]


def test_a_taken_folder_is_left_alone(tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")
    with (
        pytest.raises(RunError, match="exists and is not empty, nothing was changed"),
        new_run_folder("name", tmp_path / "taken"),
    ):
        pass
    with new_run_folder("name", tmp_path / "new") as run:
        assert run.path == tmp_path / "new"
    assert not (tmp_path / "new").exists()


def test_a_folder_under_whose_name_no_model_can_be_written_is_refused_before_anything_is_made(tmp_path):
    with (
        pytest.raises(
            OutputError, match=r"run\\udce9: models are not written where a name is no UTF-8; choose another"
        ),
        new_run_folder("name", tmp_path / "run\udce9"),
    ):
        pass
    assert not any(tmp_path.iterdir())


def test_a_run_of_a_folder_whose_name_is_no_text_is_called_what_models_can_be_written_under(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.strftime", lambda _: "20261121-101500")
    with new_run_folder("t\udce9nes", None) as run:
        assert run.path.name == "t_udce9nes-20261121-101500"


def test_runs_of_one_second_have_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.strftime", lambda _: "20261121-101500")
    with new_run_folder("clips", None) as first, new_run_folder("clips", None) as second:
        assert [run.path.name for run in (first, second)] == ["clips-20261121-101500", "clips-20261121-101500-2"]
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("trained", [False, True])
def test_a_run_that_fails_before_its_first_epoch_is_taken_back_and_a_later_one_is_not(tmp_path, trained):
    def fail():
        with new_run_folder("name", tmp_path / "run") as run:
            run.recipe.touch()
            if trained:
                run.log.touch()
            raise RuntimeError("odd")

    with pytest.raises(RuntimeError, match="odd"):
        fail()
    assert (tmp_path / "run").exists() == trained


def test_what_a_run_leaves_is_what_its_types_say_and_nothing_is_said_twice(tone_folder, tmp_path):
    run = small_run(tone_folder, tmp_path / "run")
    manifest, metrics = (json.loads(path.read_text()) for path in (run.manifest_file, run.metrics_file))
    assert Manifest.__required_keys__ <= manifest.keys() <= Manifest.__annotations__.keys()
    assert Metrics.__required_keys__ <= metrics.keys() <= Metrics.__annotations__.keys()
    assert not manifest.keys() & metrics.keys()
    assert run.split_label() == "speakers split: no speakers shared"


def test_words_of_before_are_read_as_those_of_today(made_run):
    folder = made_run("one")
    (folder / "manifest.json").write_text('{"leakage": {"unheard_same_samples": ["a/1.wav"], "shared_speakers": 0}}')
    assert RunFolder(folder).manifest()["leakage"] == {"unknown_same_samples": ["a/1.wav"], "shared_speakers": 0}
