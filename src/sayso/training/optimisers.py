"""Optimisers by the recipe's names."""

import threading
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from sayso.recipe.recipe import Training

__all__ = ["load_ahead", "make_optimiser"]


def load_ahead() -> None:
    """Begin to load what torch's optimisers need, torch's compiler, beside what this thread does before it needs one.

    torch loads it with the first optimiser, which then takes a second: as long as a short training.
    """
    threading.Thread(target=import_module, args=("torch._dynamo",), daemon=True).start()


def make_optimiser(
    training: Training, parameters: Iterable[nn.Parameter], *, of_features: Iterable[nn.Parameter] = ()
) -> Optimizer:
    """AdamW, Adam or SGD; weight decay on matrices and kernels alone, not on biases and normalisation.

    Args:
        training: names optimiser and rates.
        parameters: of the network.
        of_features: those of features, which learn at their own share of the rate.
    """
    rate = training.learning_rate
    groups = [
        *_groups(of_features, rate * training.features_rate, training.weight_decay),
        *_groups(parameters, rate, training.weight_decay),
    ]
    match training.optimizer:
        case "adamw":
            return AdamW(groups, lr=rate)
        case "adam":
            return Adam(groups, lr=rate)
        case "sgd":
            return SGD(groups, lr=rate, momentum=training.momentum)


def _groups(parameters: Iterable[nn.Parameter], rate: float, decay: float) -> Iterator[dict[str, Any]]:
    """Those that learn: kernels, which decay, and the others."""
    known = [parameter for parameter in parameters if parameter.requires_grad]
    kernels, others = [p for p in known if p.ndim > 1], [p for p in known if p.ndim <= 1]
    if kernels:
        yield {"params": kernels, "lr": rate, "weight_decay": decay}
    if others:
        yield {"params": others, "lr": rate, "weight_decay": 0.0}
