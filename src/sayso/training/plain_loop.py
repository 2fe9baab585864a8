"""Training in a plain loop: what is over in seconds does not wait for Lightning, which takes as long to be loaded."""

import torch

from sayso.training.checkpointing import Bookkeeper
from sayso.training.learner import Learner
from sayso.training.optimisers import rate_of

__all__ = ["train_plainly"]


def train_plainly(learner: Learner, books: Bookkeeper) -> None:
    """Train from the beginning to the end in this process, to the same bits as Lightning would.

    There is neither early stopping nor a state to go on from.

    Args:
        learner: what learns.
        books: where every epoch is written down.

    Raises:
        RunError: the training diverges.
    """
    learner.to(learner.hardware.device)
    optimiser, schedule = learner.optimisation()
    for epoch in range(learner.settings.epochs):
        books.begin_epoch()
        learner.train()
        for step in range(learner.steps_per_epoch):
            loss = learner.learn(epoch, step)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            learner.end_step(epoch, step)
            if schedule is not None:
                schedule.step()
            books.task.advance()
        if learner.validation_steps:
            _validate(learner, books)
        learner.end_epoch()
        rate = rate_of(optimiser)
        books.end_epoch(learner, epoch + 1, rate=rate, goes_on=epoch + 1 < learner.settings.epochs)


def _validate(learner: Learner, books: Bookkeeper) -> None:
    books.begin_validation()
    learner.eval()
    learner.begin_validation()
    with torch.no_grad():
        for step in range(learner.validation_steps):
            learner.validate(step)
    learner.end_validation()
    books.end_validation()
