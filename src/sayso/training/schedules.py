"""How the learning rate goes over the steps of a training."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from sayso.recipe.recipe import Training

__all__ = ["cosine_share", "make_schedule"]


def make_schedule(training: Training, optimiser: Optimizer, *, steps_per_epoch: int) -> LRScheduler | None:
    """The recipe's schedule, to be stepped once a batch; None: the rate stays.

    Sources: one_cycle Smith & Topin 2018, https://arxiv.org/abs/1708.07120; cosine Loshchilov & Hutter 2017, section 3
    without restarts, https://arxiv.org/abs/1608.03983.
    """
    steps = steps_per_epoch * training.epochs
    match training.schedule:
        case "constant":
            return None
        case "one_cycle":
            # One step more than is taken: a cycle over a single step would divide by zero. SGD keeps the momentum
            # that the recipe names.
            cycles = training.optimizer != "sgd"
            highest = [group["lr"] for group in optimiser.param_groups]
            return OneCycleLR(optimiser, highest, total_steps=steps + 1, cycle_momentum=cycles)
        case "cosine":
            warmup = steps_per_epoch * training.warmup_epochs
            return LambdaLR(optimiser, lambda step: cosine_share(step, steps=steps, warmup_steps=warmup))


def cosine_share(step: int, *, steps: int, warmup_steps: int) -> float:
    """Share of the highest rate at a step (from 0): a straight climb that reaches it, then half a cosine down to 0.

    >>> [round(cosine_share(step, steps=6, warmup_steps=2), 3) for step in range(7)]
    [0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return (1 + math.cos(math.pi * (step - warmup_steps) / (steps - warmup_steps))) / 2
