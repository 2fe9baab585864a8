"""What is written down after every epoch."""

import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import lightning.pytorch as lightning
from lightning.pytorch.callbacks import Checkpoint

from sayso.classifier.checkpoint import save_model
from sayso.errors import RunError
from sayso.runs.folder import RunFolder
from sayso.runs.log import LogRow, write_log
from sayso.system.distributed import Processes, end_on_request
from sayso.system.progress import Task
from sayso.system.wording import percent
from sayso.training.learner import Learner
from sayso.training.resume import BOOKS
from sayso.training.trackers import Tracker

__all__ = ["Checkpointer"]


class Checkpointer(Checkpoint):
    """Keeps log, the weights that count and the state to go on from, whole on disk after every epoch.

    Args:
        run: where they lie.
        identity: what the state belongs to, as `sayso.training.resume.identify` gives it.
        processes: only the first of several writes.

    Attributes:
        task: the bar to move.
        tracker: where every epoch is shown too.
    """

    def __init__(self, run: RunFolder, identity: Mapping[str, Any], processes: Processes) -> None:
        self.run, self.identity, self.processes = run, dict(identity), processes
        self.task, self.tracker = Task(), Tracker()
        self.rows: list[LogRow] = []
        self.best_epoch = 0
        self.best_score = -math.inf
        self.stopped_early = False
        self._train_started = self._validation_started = self._validation_seconds = 0.0

    @property
    def state_key(self) -> str:
        """Name of the books in a state."""
        return BOOKS

    @property
    def epochs(self) -> int:
        """How many are done."""
        return max((row.epoch for row in self.rows), default=0)

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know of the epochs before."""
        rows = [asdict(row) for row in self.rows]
        best = {"best_epoch": self.best_epoch, "best_score": self.best_score}
        return {"identity": self.identity, "rows": rows, "stopped_early": self.stopped_early, **best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where `state_dict` left."""
        self.rows = [LogRow(**row) for row in state_dict["rows"]]
        self.best_epoch, self.best_score = state_dict["best_epoch"], state_dict["best_score"]
        self.stopped_early = state_dict["stopped_early"]

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take requests to end back from Lightning, which would ask the other processes first, dead or not."""
        del trainer, pl_module
        if self.processes.count > 1:
            end_on_request()

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock."""
        del trainer, pl_module
        self._train_started = time.perf_counter()
        self._validation_seconds = 0.0

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Move the bar."""
        del trainer, pl_module, outputs, batch, batch_idx
        self.task.advance()

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the validation clock."""
        del trainer, pl_module
        self._validation_started = time.perf_counter()

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Stop the validation clock."""
        del trainer, pl_module
        self._validation_seconds = time.perf_counter() - self._validation_started

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the log, the weights if they count, and the state."""
        assert isinstance(pl_module, Learner)
        epoch = trainer.current_epoch + 1
        self._check_loss(pl_module.train_scores.loss, epoch)
        self._add_rows(pl_module, epoch, rate=float(trainer.optimizers[0].param_groups[0]["lr"]))
        counts = self._counts(pl_module)
        if counts:
            self.best_epoch = epoch
        if self.processes.leads:
            if counts:
                save_model(self.run.weights, pl_module.classifier)
            write_log(self.run.log, self.rows)
            # Before the state: an epoch that is shown twice after a stop is told apart, one never shown is lost.
            self.tracker.log(self.rows)
        self.stopped_early = trainer.should_stop
        trainer.save_checkpoint(self.run.resume)  # on every process: Lightning has only the first write
        pl_module.train_scores.reset()
        pl_module.validation_scores.reset()

    def _check_loss(self, loss: float, epoch: int) -> None:
        if not math.isfinite(loss):
            raise RunError(
                f"{self.run.path}: training diverged in epoch {epoch}, its loss is no number; train anew with a lower "
                "training.learning_rate (`sayso find-lr` suggests one)"
            )

    def _add_rows(self, learner: Learner, epoch: int, *, rate: float) -> None:
        train, validation = learner.train_scores, learner.validation_scores
        seconds = time.perf_counter() - self._train_started - self._validation_seconds
        self.rows.append(LogRow(epoch, "train", train.loss, train.accuracy, rate, seconds))
        shown = f"loss {train.loss:.3f}"
        if learner.validation_steps:
            row = LogRow(epoch, "validation", validation.loss, validation.accuracy, rate, self._validation_seconds)
            self.rows.append(row)
            shown += f", validation accuracy {percent(validation.accuracy)}"
        self.task.tell(shown)

    def _counts(self, learner: Learner) -> bool:
        """Whether this epoch's weights are the ones to keep, as far as is known."""
        if learner.settings.keep == "last" or not learner.split.chooses_epoch:
            return True
        validation = learner.validation_scores
        score = validation.accuracy if learner.settings.monitor == "accuracy" else -validation.loss
        # Of equal scores the later one: late in the cycle the learning rate is lower. A loss that is no number never
        # counts, but the first weights do until there are better ones.
        better = score >= self.best_score or not self.best_epoch
        if score >= self.best_score:
            self.best_score = score
        return better
