"""Optimisers by the recipe's names."""

from collections.abc import Iterable, Iterator
from functools import cache
from inspect import unwrap
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from sayso.recipe.recipe import Training

__all__ = ["make_optimiser", "rate_of"]


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
            return _uncompiled(AdamW)(groups, lr=rate)
        case "adam":
            return _uncompiled(Adam)(groups, lr=rate)
        case "sgd":
            return _uncompiled(SGD)(groups, lr=rate, momentum=training.momentum)


def rate_of(optimiser: Optimizer) -> float:
    """The learning rate of the network now; features may learn at a share of it."""
    return float(optimiser.param_groups[-1]["lr"])


@cache
def _uncompiled(kind: type[Optimizer]) -> Any:
    """Give an optimiser without the wrappers by which torch's compiler leaves its methods alone.

    The first of them to be called loads the compiler, which takes a second: as long as a short training.
    """
    names = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
    plain = {name: unwrap(getattr(kind, name)) for name in names}
    return type(kind.__name__, (kind,), {**plain, "step": torch.no_grad()(unwrap(kind.step))})


def _groups(parameters: Iterable[nn.Parameter], rate: float, decay: float) -> Iterator[dict[str, Any]]:
    """Those that learn: kernels, which decay, and the others."""
    known = [parameter for parameter in parameters if parameter.requires_grad]
    kernels, others = [p for p in known if p.ndim > 1], [p for p in known if p.ndim <= 1]
    if kernels:
        yield {"params": kernels, "lr": rate, "weight_decay": decay}
    if others:
        yield {"params": others, "lr": rate, "weight_decay": 0.0}
