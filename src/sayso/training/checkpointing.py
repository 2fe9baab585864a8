"""What is written down after every epoch."""

import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sayso.classifier.checkpoint import save_model
from sayso.errors import RunError
from sayso.runs.folder import RunFolder
from sayso.runs.log import LogRow, write_log
from sayso.system.distributed import Processes
from sayso.system.progress import Task
from sayso.system.wording import percent
from sayso.training.learner import Learner
from sayso.training.trackers import Tracker

__all__ = ["Bookkeeper"]


class Bookkeeper:
    """Keeps log and the weights that count, whole on disk after an epoch, and knows what a state must know of them.

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

    def begin_epoch(self) -> None:
        """Start the clock."""
        self._train_started = time.perf_counter()
        self._validation_seconds = 0.0

    def begin_validation(self) -> None:
        """Start the validation clock."""
        self._validation_started = time.perf_counter()

    def end_validation(self) -> None:
        """Stop the validation clock."""
        self._validation_seconds = time.perf_counter() - self._validation_started

    def end_epoch(self, learner: Learner, epoch: int, *, rate: float, goes_on: bool = False) -> None:
        """Write the log, and the weights if they count.

        Args:
            learner: with the scores of the epoch.
            epoch: which, from 1.
            rate: the learning rate of the next step.
            goes_on: another epoch follows for sure, and nothing goes on from this one: where the last weights count,
                these do not.

        Raises:
            RunError: the training diverges.
        """
        self._check_loss(learner.train_scores.loss, epoch)
        self._add_rows(learner, epoch, rate=rate)
        counts = self._counts(learner)
        if counts:
            self.best_epoch = epoch
        if self.processes.leads:
            if counts and not (goes_on and self._keeps_last(learner)):
                save_model(self.run.weights, learner.result)
            write_log(self.run.log, self.rows)
            # Before the state: an epoch that is shown twice after a stop is told apart, one never shown is lost.
            self.tracker.log(self.rows)
        learner.train_scores.reset()
        learner.validation_scores.reset()

    def _check_loss(self, loss: float, epoch: int) -> None:
        if not math.isfinite(loss):
            raise RunError(
                f"{self.run.path}: training diverged in epoch {epoch}, its loss is no number; train anew with a lower "
                "training.learning_rate (`sayso find-lr` suggests one), or with less extreme settings of augment and "
                "features"
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

    @staticmethod
    def _keeps_last(learner: Learner) -> bool:
        return learner.settings.keep == "last" or not learner.split.chooses_epoch

    def _counts(self, learner: Learner) -> bool:
        """Whether this epoch's weights are the ones to keep, as far as is known."""
        if self._keeps_last(learner):
            return True
        validation = learner.validation_scores
        score = validation.accuracy if learner.settings.monitor == "accuracy" else -validation.loss
        # Of equal scores the later one: late in the cycle the learning rate is lower. A loss that is no number never
        # counts, but the first weights do until there are better ones.
        better = score >= self.best_score or not self.best_epoch
        if score >= self.best_score:
            self.best_score = score
        return better
