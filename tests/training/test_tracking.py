"""TensorBoard and MLflow: every epoch once, stopped and resumed or not; a tracker never costs a training."""

import contextlib
import os

import pytest

from runs_made import small_prepared, small_recipe
from sayso.errors import InterruptedRunError, MissingExtraError, OutputError, RunError
from sayso.runs.folder import RunFolder
from sayso.runs.log import read_log
from sayso.system.progress import Progress
from sayso.training import fit, trackers
from sayso.training.tracking import check_tracking

pytest.importorskip("tensorboard")
pytest.importorskip("mlflow")


def fitted(folder, out, progress=None, **keys):
    return fit(small_prepared(folder, progress, **keys), RunFolder(out))


def tensorboard_losses(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return [(event.step, event.value) for event in events.Scalars("loss/train")]


def mlflow_losses(folder):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(folder.resolve().as_uri())
    runs = client.search_runs([client.get_experiment_by_name("sayso").experiment_id])
    assert len(runs) == 1
    assert runs[0].info.status == "FINISHED"
    assert runs[0].data.params["training.seed"] == "0"
    return [(metric.step, metric.value) for metric in client.get_metric_history(runs[0].info.run_id, "loss/train")]


READ = {"tensorboard": tensorboard_losses, "mlflow": mlflow_losses}
TRACKERS = {"tensorboard": trackers.TensorBoard, "mlflow": trackers.MLflow}


@pytest.fixture
def stop_after():
    """Give a function that has Ctrl-C pressed once an epoch is shown and before its state is written."""

    with pytest.MonkeyPatch.context() as patch:

        def stop(kind, epoch):
            real = TRACKERS[kind].log

            def log(self, rows):
                real(self, rows)
                if rows[-1].epoch == epoch:
                    patch.undo()
                    raise KeyboardInterrupt

            patch.setattr(TRACKERS[kind], "log", log)

        yield stop


@pytest.mark.parametrize("kind", READ)
def test_every_epoch_is_there_once_though_the_run_was_stopped(kind, tone_folder, tmp_path, stop_after):
    """Stopped between an epoch's curve and its state: that epoch is trained, and offered to be shown, twice."""
    run = tmp_path / "run"
    stop_after(kind, 2)
    with pytest.raises(InterruptedRunError):
        fitted(tone_folder, run, epochs=3, track=kind)
    fitted(tone_folder, run, epochs=3, track=kind)
    rows = [row for row in read_log(run / "log.csv") if row.set == "train"]
    shown = READ[kind](run / kind)
    assert [step for step, _ in shown] == [1, 2, 3]
    assert [value for _, value in shown] == pytest.approx([row.loss for row in rows], rel=1e-4)


@pytest.mark.parametrize("kind", READ)
def test_a_folder_of_ones_own_is_kept_to_from_any_place(kind, tone_folder, tmp_path, stop_after):
    (tmp_path / "here").mkdir()
    stop_after(kind, 1)
    with contextlib.chdir(tmp_path / "here"), pytest.raises(InterruptedRunError):
        fitted(tone_folder, tmp_path / "run", epochs=2, track=kind, track_to="curves")
    with contextlib.chdir(tmp_path):
        fitted(tone_folder, tmp_path / "run", epochs=2, track=kind, track_to="curves")
    curves = tmp_path / "here" / "curves"
    assert len(READ[kind](curves / "run" if kind == "tensorboard" else curves)) == 2
    assert not any((tmp_path / "curves").rglob("*.*"))


def test_a_tracker_that_fails_costs_a_note_and_no_training(tone_folder, tmp_path, monkeypatch):
    notes = []
    progress = Progress()
    monkeypatch.setattr(progress, "note", notes.append)
    monkeypatch.setattr(trackers.TensorBoard, "log", lambda *_: 1 / 0)
    assert fitted(tone_folder, tmp_path / "run", progress, track="tensorboard").epochs == 2
    assert notes == ["tensorboard failed (division by zero); training goes on, log.csv has every epoch"]


@pytest.mark.parametrize("kind", READ)
def test_places_that_cannot_be_written_are_told_before_training(kind, tone_folder, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"training\.track_to: cannot write .*file.*choose another folder"):
        check_tracking(small_recipe(tone_folder, track=kind, track_to=str(tmp_path / "file" / "x")).training)


def test_a_package_that_is_missing_is_told_before_training(tone_folder, monkeypatch):
    monkeypatch.setattr("sayso.training.tracking.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install .*\[track\]'"):
        check_tracking(small_recipe(tone_folder, track="mlflow").training)


def test_a_server_that_does_not_answer_is_told_before_training(tone_folder, monkeypatch):
    monkeypatch.setitem(os.environ, "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(OutputError, match="does not answer as an MLflow store"):
        check_tracking(small_recipe(tone_folder, track="mlflow", track_to="http://127.0.0.1:9").training)


def test_damaged_books_of_where_the_curves_are(tone_folder, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "tracking.json").write_text("{")
    with pytest.raises(RunError, match="remove it to begin the curves anew"):
        fitted(tone_folder, tmp_path / "run", track="mlflow")
