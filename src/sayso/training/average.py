"""The average of a network's weights over the steps of its training."""

import copy

from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from sayso.classifier.module import Classifier

__all__ = ["average_step", "begin_average", "decay_at"]


def begin_average(classifier: Classifier) -> Classifier:
    """Give the average before any step: the network, and features that learn, as they are; all else is shared."""
    shared: list[object] = [classifier.normaliser, classifier.recipe]
    if not classifier.recipe.features.learns:
        shared.append(classifier.features)
    averaged = copy.deepcopy(classifier, {id(part): part for part in shared})
    for part in _averaged_parts(averaged):
        part.requires_grad_(False)
    return averaged


def average_step(averaged: Classifier, classifier: Classifier, *, decay: float, step: int) -> None:
    """Draw the average towards what a step has made of the weights.

    Batch norm's means and variances are averaged like the weights, not copied: a copy tells of the last few batches,
    as other weights saw them. As an average is linear, it does not matter either whether several processes bring theirs
    together before or after. Counters are copied.

    Args:
        averaged: what `begin_average` gave, changed in place.
        classifier: what learns, after the step.
        decay: the recipe's, in [0, 1).
        step: which of the whole training, from 0.
    """
    pairs = [
        (old, new)
        for kept, learning in zip(_averaged_parts(averaged), _averaged_parts(classifier), strict=True)
        for old, new in zip(_numbers(kept), _numbers(learning), strict=True)
    ]
    real = [pair for pair in pairs if pair[0].is_floating_point()]
    get_ema_multi_avg_fn(decay_at(step, most=decay))([old for old, _ in real], [new for _, new in real], step)
    for old, new in pairs:
        if not old.is_floating_point():
            old.copy_(new)


def decay_at(step: int, *, most: float) -> float:
    """Share of the average that a step leaves: little at first, so that short trainings forget where they began.

    Source: Abadi et al. 2016, https://arxiv.org/abs/1603.04467, TensorFlow's `ExponentialMovingAverage` with
    `num_updates`.

    >>> [round(decay_at(step, most=0.999), 4) for step in (0, 9, 90, 100_000)]
    [0.1, 0.5263, 0.91, 0.999]
    """
    return min(most, (1 + step) / (10 + step))


def _averaged_parts(classifier: Classifier) -> list[nn.Module]:
    learns = classifier.recipe.features.learns
    return [classifier.network, classifier.features] if learns else [classifier.network]


def _numbers(part: nn.Module) -> list[Tensor]:
    return [*part.parameters(), *part.buffers()]
