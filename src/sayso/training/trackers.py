"""Where epochs can be shown: TensorBoard's event files, an MLflow store."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import time
from typing import Any

from sayso.config.schema import dump
from sayso.errors import RunError
from sayso.recipe.recipe import Recipe, recipe_yaml
from sayso.runs.folder import RunFolder
from sayso.runs.log import LogRow
from sayso.system.files import expand_home, read_json, write_json

__all__ = ["MLflow", "TensorBoard", "Tracker", "is_uri", "set_mlflow_up"]

_EXPERIMENT = "sayso"
_MOST_AT_ONCE = 100


class Tracker:
    """Takes the rows of a run's log after every epoch; this base class ignores them."""

    def log(self, rows: Sequence[LogRow]) -> None:
        """Show the epochs of `rows` that were not shown yet."""

    def close(self, status: str) -> None:
        """Say how the training ended: FINISHED, KILLED (by a person) or FAILED."""


class TensorBoard(Tracker):
    """Event files in `<folder>/<run's name>`, or in the run's own folder."""

    def __init__(self, recipe: Recipe, run: RunFolder, done: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        folder = run.path / "tensorboard"
        if to := recipe.training.track_to:
            # Named from the first working folder, so that a resumed run goes on in the same place.
            place = _remembered(run) or {"folder": str(expand_home(to).resolve() / run.path.resolve().name)}
            _remember(run, place)
            folder = Path(place["folder"])
        self._shown = done
        # Whatever a stopped session wrote of later epochs is hidden by TensorBoard.
        self._writer = SummaryWriter(str(folder), purge_step=done + 1)
        if not done:
            self._writer.add_text("recipe", f"```yaml\n{recipe_yaml(recipe)}```")

    def log(self, rows: Sequence[LogRow]) -> None:
        """As `Tracker.log`."""
        for row in rows:
            if row.epoch > self._shown:
                for name, value in _scalars(row):
                    self._writer.add_scalar(name, value, row.epoch)
        self._shown = max(row.epoch for row in rows)
        self._writer.flush()

    def close(self, status: str) -> None:
        """As `Tracker.close`."""
        del status
        self._writer.close()


class MLflow(Tracker):
    """One MLflow run in the experiment `sayso`; what the store already holds is asked of the store."""

    def __init__(self, recipe: Recipe, run: RunFolder) -> None:
        from mlflow.tracking import MlflowClient

        place = _remembered(run)
        to = recipe.training.track_to
        # As above; what lies in the run's own folder is moved with it.
        place = place if "uri" in place or not to else {"uri": to if is_uri(to) else expand_home(to).resolve().as_uri()}
        uri = place.get("uri") or (run.path / "mlflow").resolve().as_uri()
        set_mlflow_up(uri)
        self._client = MlflowClient(uri)
        if "mlflow_run" not in place:
            place = place | {"mlflow_run": self._create(recipe, run)}
            _remember(run, place)
        self._id = place["mlflow_run"]
        self._client.update_run(self._id, status="RUNNING")
        # The learning rate is written last of an epoch.
        history = self._client.get_metric_history(self._id, "learning_rate")
        self._shown = max((metric.step for metric in history), default=0)

    def _create(self, recipe: Recipe, run: RunFolder) -> str:
        from mlflow.entities import Param

        experiment = self._client.get_experiment_by_name(_EXPERIMENT)
        known = experiment.experiment_id if experiment else self._client.create_experiment(_EXPERIMENT)
        created: str = self._client.create_run(known, run_name=run.path.resolve().name).info.run_id
        params = [Param(key, value) for key, value in _flat(dump(recipe))]
        for start in range(0, len(params), _MOST_AT_ONCE):
            self._client.log_batch(created, params=params[start : start + _MOST_AT_ONCE])
        return created

    def log(self, rows: Sequence[LogRow]) -> None:
        """As `Tracker.log`."""
        from mlflow.entities import Metric

        now = round(1000 * time())
        for epoch in sorted({row.epoch for row in rows if row.epoch > self._shown}):
            named = dict(pair for row in rows if row.epoch == epoch for pair in _scalars(row))
            named["learning_rate"] = named.pop("learning_rate")
            self._client.log_batch(self._id, [Metric(name, value, now, epoch) for name, value in named.items()])
            self._shown = epoch

    def close(self, status: str) -> None:
        """As `Tracker.close`."""
        self._client.set_terminated(self._id, status)


def _scalars(row: LogRow) -> Iterator[tuple[str, float]]:
    for name in ("loss", "accuracy"):
        yield f"{name}/{row.set}", getattr(row, name)
    if row.set == "train":
        yield "learning_rate", row.learning_rate


def _remembered(run: RunFolder) -> dict[str, str]:
    """What `tracking.json` says of this run's curves; nothing when they were not begun."""
    path = run.path / "tracking.json"
    if not path.is_file():
        return {}
    try:
        return dict(read_json(path))
    except (TypeError, ValueError) as error:
        raise RunError(f"{path}: damaged; remove it to begin the curves anew") from error


def _remember(run: RunFolder, values: dict[str, str]) -> None:
    write_json(run.path / "tracking.json", values)


def set_mlflow_up(uri: str) -> None:
    """Set what MLflow takes from the environment for this store, where nobody has set it."""
    if uri.startswith("file:"):
        # Since 3.17 MLflow wants to be asked for its plain folders, the only store that needs no database.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    # A server that is gone is not worth minutes of retries.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")


def is_uri(to: str) -> bool:
    """Whether that names a store by its address rather than a folder."""
    return "://" in to or to.startswith(("file:", "databricks"))


def _flat(values: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    entries = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in entries:
        if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
