"""Training by Lightning's Trainer: several processes, early stopping, and a state to go on from after every epoch."""

import logging
import warnings
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    # Lightning 2.6 uses names that torch 2.13 has marked as moving: nothing a reader of a run can act on.
    warnings.simplefilter("ignore")
    import lightning.pytorch as lightning

from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.callbacks import Checkpoint, EarlyStopping
from lightning.pytorch.plugins.io import CheckpointIO
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor

from sayso.classifier.checkpoint import save_state
from sayso.errors import ModelError
from sayso.system.distributed import end_on_request
from sayso.training.checkpointing import Bookkeeper
from sayso.training.learner import Learner
from sayso.training.optimisers import rate_of
from sayso.training.resume import BOOKS

__all__ = ["Checkpointer", "LightningLearner", "PlainCheckpoints", "train_by_lightning"]


def train_by_lightning(learner: "LightningLearner", books: Bookkeeper, state: dict[str, Any] | None) -> None:
    """Train to the end, from the beginning or from a state; leaves what `books` write, and the run's state.

    Args:
        learner: what learns.
        books: where every epoch is written down.
        state: what `read_state` gave of an unfinished training of the same recipe and clips; None: there is none.
    """
    trainer = _trainer(learner, books, state)
    loaders = (range(learner.steps_per_epoch), range(max(1, learner.validation_steps)))
    resumed = None if state is None else str(books.run.resume)
    with warnings.catch_warnings():
        # As where Lightning is imported: its use of torch's moving names.
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")
        # torch 2.13 has a new name for it, which 2.9 does not know.
        warnings.filterwarnings("ignore", message=".*broadcast_buffers.*")
        trainer.fit(learner, *loaders, ckpt_path=resumed, weights_only=True)


class LightningLearner(Learner, lightning.LightningModule):
    """A learner as Lightning wants it; the loaders only count steps."""

    def training_step(self, step: int, batch_index: int) -> Tensor:
        """One batch of the epoch that Lightning is in."""
        del batch_index
        # Lightning takes the mean of the processes' gradients, and the parts are to be added.
        return self.learn(self.current_epoch, step) * self.processes.count

    def on_train_batch_end(self, outputs: Any, batch: int, batch_idx: int) -> None:
        """As the learner says; the batch is the step's number."""
        del outputs, batch_idx
        self.end_step(self.current_epoch, batch)

    def validation_step(self, step: int, batch_index: int) -> None:
        """Score one batch of validation clips."""
        del batch_index
        self.validate(step)

    def on_validation_epoch_start(self) -> None:
        """As the learner says."""
        self.begin_validation()

    def on_validation_epoch_end(self) -> None:
        """Tell early stopping how it went."""
        self.end_validation()
        several = self.processes.count > 1
        self.log("validation_accuracy", self.validation_scores.accuracy, sync_dist=several)
        self.log("validation_loss", self.validation_scores.loss, sync_dist=several)

    def on_train_epoch_end(self) -> None:
        """As the learner says."""
        self.end_epoch()

    def configure_optimizers(self) -> Any:
        """The recipe's optimiser and schedule."""
        optimiser, schedule = self.optimisation()
        if schedule is None:
            return optimiser
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class Checkpointer(Checkpoint):
    """Has the books written after every epoch, and the state with them."""

    def __init__(self, books: Bookkeeper) -> None:
        self.books = books

    @property
    def state_key(self) -> str:
        """Name of the books in a state."""
        return BOOKS

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know of the epochs before."""
        return self.books.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where `state_dict` left."""
        self.books.load_state_dict(state_dict)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take requests to end back from Lightning, which would ask the other processes first, dead or not."""
        del trainer, pl_module
        if self.books.processes.count > 1:
            end_on_request()

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock."""
        del trainer, pl_module
        self.books.begin_epoch()

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Move the bar."""
        del trainer, pl_module, outputs, batch, batch_idx
        self.books.task.advance()

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the validation clock."""
        del trainer, pl_module
        self.books.begin_validation()

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Stop the validation clock."""
        del trainer, pl_module
        self.books.end_validation()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the log, the weights if they count, and the state."""
        assert isinstance(pl_module, Learner)
        rate = rate_of(trainer.optimizers[0])
        self.books.end_epoch(pl_module, trainer.current_epoch + 1, rate=rate)
        self.books.stopped_early = trainer.should_stop
        trainer.save_checkpoint(self.books.run.resume)  # on every process: Lightning has only the first write


class PlainCheckpoints(CheckpointIO):
    """Lightning's checkpoints by way of `sayso.classifier.checkpoint`: atomic, and plain data only.

    Args:
        state: what was read already and is to be gone on from; given out once, so that no second copy stays in memory.
    """

    def __init__(self, state: dict[str, Any] | None) -> None:
        self._state = state

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a state."""
        del storage_options
        save_state(Path(path), checkpoint)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Give the state that was read before."""
        del map_location, weights_only
        state, self._state = self._state, None
        if state is None:
            raise ModelError(f"{path}: was not read before it was needed")
        return state

    def remove_checkpoint(self, path: Any) -> None:
        """Remove a state."""
        Path(path).unlink(missing_ok=True)


def _trainer(learner: LightningLearner, books: Bookkeeper, state: dict[str, Any] | None) -> lightning.Trainer:
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    training, hardware = learner.settings, learner.hardware
    callbacks: list[lightning.Callback] = [Checkpointer(books)]
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
