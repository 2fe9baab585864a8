"""`fit`: a recipe, clips and a split in; weights, log and state in the run's folder."""

import logging
import signal
import threading
import warnings
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as lightning
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.strategies import DDPStrategy

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
from sayso.system.wording import counted
from sayso.training.checkpointing import Checkpointer
from sayso.training.feature_source import Sources
from sayso.training.hardware import choose_hardware
from sayso.training.learner import Learner, new_learner
from sayso.training.resume import PlainCheckpoints, identify, read_books, read_state
from sayso.training.trackers import Tracker
from sayso.training.tracking import tracking

__all__ = ["Fitted", "fit"]


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


def fit(prepared: Prepared, run: RunFolder, sources: Sources | None = None, start: Classifier | None = None) -> Fitted:
    """Train a recipe on its clips and leave weights and log in the run's folder; goes on where the folder stopped.

    The test part is not looked at. After every epoch `log.csv`, `model.safetensors` and `resume.ckpt` are whole on
    disk. Several processes (inside `sayso.system.distributed.join_processes`) share every batch, and the first
    one writes. `sources` are features that other trainings on the same clips draw from too; None: computed here.
    `start` is what a training before has learned, which this one begins with.

    Raises:
        InterruptedRunError: Ctrl-C; what was done up to the last whole epoch is kept.
        ModelError: the folder's state is damaged.
        RunError: the folder's state is of another recipe or of other clips, or the training diverges.
        OutputError: the folder cannot be written.
    """
    recipe, progress = prepared.recipe, prepared.progress
    hardware = choose_hardware(recipe.training)
    own = identify(prepared)
    if not agree_everywhere(digest(own)):
        raise RunError("the processes of this training have different recipes or clips; give each of them the same")
    state = make_once(lambda: read_state(run.resume, own) if run.resume.exists() else None)
    steps_per_epoch = -(-len(prepared.split.train) // recipe.training.batch_size)
    checkpointer = Checkpointer(run, own, hardware.processes)
    if state is not None:
        checkpointer.load_state_dict(read_books(state))
    learner = None if checkpointer.stopped_early else new_learner(prepared, hardware, sources, start)
    total = recipe.training.epochs * steps_per_epoch
    with progress.task("training", total=total, unit="steps") as checkpointer.task:
        checkpointer.task.advance(checkpointer.epochs * steps_per_epoch)
        if learner is not None:
            with _tracking(recipe, checkpointer, progress) as checkpointer.tracker:
                _train(learner, checkpointer, state)
    rows = checkpointer.rows
    seconds = sum(row.seconds for row in rows)
    classifier = Classifier(recipe, prepared.corpus.labels).eval()
    classifier.load_state_dict(make_once(lambda: load_model(run.weights).state_dict()))
    return Fitted(classifier, checkpointer.best_epoch, checkpointer.epochs, seconds, tuple(rows))


def _tracking(recipe: Recipe, checkpointer: Checkpointer, progress: Progress) -> AbstractContextManager[Tracker]:
    if not checkpointer.processes.leads:
        return nullcontext(Tracker())
    return tracking(recipe, checkpointer.run, done=checkpointer.epochs, note=progress.note)


def _train(learner: Learner, checkpointer: Checkpointer, state: dict[str, Any] | None) -> None:
    run = checkpointer.run
    trainer = _trainer(learner, checkpointer, state)
    loaders = (range(learner.steps_per_epoch), range(max(1, learner.validation_steps)))
    resumed = None if state is None else str(run.resume)
    with _interruptible(run), warnings.catch_warnings():
        # As where Lightning is imported: its use of torch's moving names.
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")
        # torch 2.13 has a new name for it, which 2.9 does not know.
        warnings.filterwarnings("ignore", message=".*broadcast_buffers.*")
        trainer.fit(learner, *loaders, ckpt_path=resumed, weights_only=True)


def _trainer(learner: Learner, checkpointer: Checkpointer, state: dict[str, Any] | None) -> lightning.Trainer:
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    training, hardware = learner.settings, learner.hardware
    callbacks: list[lightning.Callback] = [checkpointer]
    if training.patience and learner.split.chooses_epoch:
        mode = "max" if training.monitor == "accuracy" else "min"
        # A loss that is no number is no better score, and waits like any other.
        stopping = EarlyStopping(
            f"validation_{training.monitor}", mode=mode, patience=training.patience, check_finite=False
        )
        callbacks.insert(0, stopping)
    processes = hardware.processes
    plugins: list[Any] = [PlainCheckpoints(state)]
    if processes.count > 1:
        plugins.append(TorchElasticEnvironment())
    return lightning.Trainer(
        accelerator="gpu" if hardware.device.type == "cuda" else "cpu",
        devices=processes.local_count,
        num_nodes=processes.machines,
        # The learner brings buffers together itself, once an epoch rather than every step.
        strategy=DDPStrategy(broadcast_buffers=False) if processes.count > 1 else "auto",
        max_epochs=training.epochs,
        callbacks=callbacks,
        plugins=plugins,
        logger=False,
        enable_checkpointing=True,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=1.0 if learner.validation_steps else 0,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


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
        raise InterruptedRunError(f"stopped; {kept}. Go on with: sayso train --resume {run.path}") from error
    finally:
        if in_main_thread:
            # Lightning leaves Ctrl-C switched off.
            signal.signal(signal.SIGINT, handler)
