"""Epochs shown in TensorBoard or MLflow as well, each once, however often a run is stopped and resumed.

A tracker that fails under way never costs a training: it says so in one line, and the run goes on without it.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

from sayso.errors import InterruptedRunError, MissingExtraError, OutputError, RunError, SaysoError
from sayso.recipe.recipe import Recipe, Training
from sayso.runs.folder import RunFolder
from sayso.runs.log import LogRow
from sayso.system.files import check_writable, expand_home
from sayso.training.trackers import MLflow, TensorBoard, Tracker, is_uri, set_mlflow_up

__all__ = ["check_tracking", "tracking"]


def check_tracking(training: Training) -> None:
    """Check before a training starts that its epochs can be shown where the recipe says.

    Raises:
        MissingExtraError: the package is not installed.
        OutputError: the folder cannot be written, or the server does not answer.
    """
    if training.track == "none":
        return
    if find_spec(training.track) is None:
        raise MissingExtraError("TensorBoard and MLflow logs", extra="track")
    if training.track_to is None:
        return
    if training.track == "mlflow" and is_uri(training.track_to):
        _check_server(training.track_to)
        return
    folder = expand_home(training.track_to)
    try:
        check_writable(folder)
    except OutputError as error:
        raise OutputError(f"training.track_to: {error}") from error


@contextmanager
def tracking(recipe: Recipe, run: RunFolder, *, done: int, note: Callable[[str], None]) -> Generator[Tracker]:
    """Give the recipe's tracker for as long as the block runs.

    Args:
        recipe: names the tracker; its keys are shown beside the curves.
        run: the run's folder; `tracking.json` in it remembers where its curves are.
        done: epochs that were finished before.
        note: where to say that a tracker has failed.

    Raises:
        RunError: the run's curves are not where they were begun.
    """
    tracker = _open(recipe, run, done, note)
    status = "FAILED"
    try:
        yield tracker
        status = "FINISHED"
    except InterruptedRunError:
        status = "KILLED"
        raise
    finally:
        tracker.close(status)


def _open(recipe: Recipe, run: RunFolder, done: int, note: Callable[[str], None]) -> Tracker:
    kind = recipe.training.track
    if kind == "none":
        return Tracker()
    check_tracking(recipe.training)
    try:
        opened = TensorBoard(recipe, run, done) if kind == "tensorboard" else MLflow(recipe, run)
    except SaysoError:
        raise
    except Exception as error:  # what these packages raise has no common base
        raise RunError(f"training.track: {kind} cannot be started ({_first_line(error)}); set it to none") from error
    return _Forgiving(opened, kind, note)


class _Forgiving(Tracker):
    """Goes on without a tracker that fails."""

    def __init__(self, inner: Tracker, kind: str, note: Callable[[str], None]) -> None:
        self._inner, self._kind, self._note = inner, kind, note
        self._failed = False

    def log(self, rows: Sequence[LogRow]) -> None:
        self._try(lambda: self._inner.log(rows))

    def close(self, status: str) -> None:
        self._try(lambda: self._inner.close(status))

    def _try(self, act: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            act()
        except Exception as error:  # what these packages raise has no common base
            self._failed = True
            self._note(f"{self._kind} failed ({_first_line(error)}); training goes on, log.csv has every epoch")


def _check_server(uri: str) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    set_mlflow_up(uri)
    try:
        MlflowClient(uri).search_experiments(max_results=1)
    except (MlflowException, OSError) as error:
        raise OutputError(
            f"training.track_to: {uri} does not answer as an MLflow store ({_first_line(error)}); start it, or choose "
            "another"
        ) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:160]
