"""`fit`: a recipe, clips and a split in; weights, log and state in the run's folder."""

import signal
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from sayso.classifier.checkpoint import load_model
from sayso.classifier.module import Classifier
from sayso.errors import InterruptedRunError, RunError
from sayso.recipe.prepared import Prepared
from sayso.recipe.recipe import Recipe
from sayso.runs.folder import RunFolder
from sayso.runs.log import LogRow, read_log
from sayso.system.distributed import TerminatedError, agree_everywhere, make_once
from sayso.system.files import digest
from sayso.system.progress import Progress
from sayso.system.wording import counted, in_shell
from sayso.training.checkpointing import Bookkeeper
from sayso.training.hardware import Hardware, choose_hardware
from sayso.training.learner import Learner, new_learner
from sayso.training.plain_loop import train_plainly
from sayso.training.resume import identify, read_books, read_state
from sayso.training.sources import Sources
from sayso.training.teacher import Teacher
from sayso.training.trackers import Tracker
from sayso.training.tracking import tracking

__all__ = ["Fitted", "fit"]

L = TypeVar("L", bound=Learner)


@dataclass(frozen=True)
class Fitted:
    """What a training ended with: the classifier with the weights that count, and how it got there."""

    classifier: Classifier
    best_epoch: int
    """The epoch whose weights count, from 1."""
    epochs: int
    """How many were run."""
    seconds: float
    """Time spent in them, over all sessions of the run."""
    log: tuple[LogRow, ...]


def fit(
    prepared: Prepared,
    run: RunFolder,
    sources: Sources | None = None,
    start: Classifier | None = None,
    teacher: Teacher | None = None,
) -> Fitted:
    """Train a recipe on its clips and leave weights and log in the run's folder; goes on where the folder stopped.

    The test part is not looked at. After every epoch `log.csv`, `model.safetensors` and `resume.ckpt` are whole on
    disk; a training that begins with another, which takes seconds, leaves its last weights at its end alone. Several
    processes (inside `sayso.system.distributed.join_processes`) share every batch, and the first one writes. `sources`
    are features that other trainings on the same clips draw from too; None: computed here. `start` is what a training
    before has learned, which this one begins with, `teacher` is the recipe's own.

    Raises:
        InterruptedRunError: Ctrl-C; what was done up to the last whole epoch is kept.
        ModelError: the folder's state is damaged.
        RunError: the folder's state is of another recipe or of other clips, or the training diverges.
        OutputError: the folder cannot be written.
    """
    recipe, progress = prepared.recipe, prepared.progress
    hardware = choose_hardware(recipe.training, recipe.model)
    own = identify(prepared, teacher)
    if not agree_everywhere(digest(own)):
        raise RunError("the processes of this training have different recipes or clips; give each of them the same")
    state = make_once(lambda: read_state(run.resume, own) if run.resume.exists() else None)
    books = Bookkeeper(run, own, hardware.processes)
    if state is not None:
        books.load_state_dict(read_books(state))
    if not books.stopped_early:
        with _tracking(recipe, books, progress) as books.tracker:
            _train(_Lesson(prepared, hardware, sources, start, teacher), books, state)
    rows = books.rows
    seconds = sum(row.seconds for row in rows)
    classifier = Classifier(recipe, prepared.corpus.labels).eval()
    classifier.load_state_dict(make_once(lambda: load_model(run.weights).state_dict()))
    return Fitted(classifier, books.best_epoch, books.epochs, seconds, tuple(rows))


def _tracking(recipe: Recipe, books: Bookkeeper, progress: Progress) -> AbstractContextManager[Tracker]:
    if not books.processes.leads:
        return nullcontext(Tracker())
    return tracking(recipe, books.run, done=books.epochs, note=progress.note)


@dataclass(frozen=True, eq=False)
class _Lesson:
    """What a learner is made of."""

    prepared: Prepared
    hardware: Hardware
    sources: Sources | None
    start: Classifier | None
    teacher: Teacher | None

    def learner(self, kind: type[L]) -> L:
        return new_learner(kind, self.prepared, self.hardware, self.sources, self.start, self.teacher)


def _train(lesson: _Lesson, books: Bookkeeper, state: dict[str, Any] | None) -> None:
    patience, processes = lesson.prepared.recipe.training.patience, lesson.hardware.processes
    is_short = lesson.start is not None and processes.count == 1 and not patience
    if is_short:
        learner = lesson.learner(Learner)
        with _steps(lesson, learner, books), _interruptible(books.run):
            train_plainly(learner, books)
        return
    # Imported here: Lightning takes seconds, as long as a training that goes on from another one.
    from sayso.training.lightning_loop import LightningLearner, train_by_lightning

    learner = lesson.learner(LightningLearner)
    with _steps(lesson, learner, books), _interruptible(books.run):
        train_by_lightning(learner, books, state)


@contextmanager
def _steps(lesson: _Lesson, learner: Learner, books: Bookkeeper) -> Generator[None]:
    """Show the steps, from the first on: what is made before them, such as features, has a pace of its own."""
    total = learner.settings.epochs * learner.steps_per_epoch
    if lesson.hardware.device.type == "cpu":
        lesson.prepared.recipe.model.warm_up()
    with lesson.prepared.progress.task("training", total=total, unit="steps") as books.task:
        books.task.advance(books.epochs * learner.steps_per_epoch)
        yield


@contextmanager
def _interruptible(run: RunFolder) -> Generator[None]:
    """Turn Ctrl-C, and the SystemExit that Lightning makes of it, into one line that says how to go on."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except TerminatedError:
        raise
    except (KeyboardInterrupt, SystemExit) as error:
        epochs = len({row.epoch for row in read_log(run.log)})
        kept = f"{counted(epochs, 'epoch')} and the best weights so far are kept" if epochs else "no epoch was finished"
        raise InterruptedRunError(f"stopped; {kept}. Go on with: sayso train --resume {in_shell(run.path)}") from error
    finally:
        if in_main_thread:
            # Lightning leaves Ctrl-C switched off.
            signal.signal(signal.SIGINT, handler)
