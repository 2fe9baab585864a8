"""Optimisers by the recipe's names."""

from collections.abc import Iterable
from typing import Any

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from sayso.recipe.recipe import Training

__all__ = ["make_optimiser"]


def make_optimiser(training: Training, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """AdamW, Adam or SGD; weight decay on matrices and kernels alone, not on biases and normalisation."""
    known = [parameter for parameter in parameters if parameter.requires_grad]
    decayed: dict[str, Any] = {"params": [p for p in known if p.ndim > 1], "weight_decay": training.weight_decay}
    others: dict[str, Any] = {"params": [p for p in known if p.ndim <= 1], "weight_decay": 0.0}
    groups = [group for group in (decayed, others) if group["params"]]
    match training.optimizer:
        case "adamw":
            return AdamW(groups, lr=training.learning_rate)
        case "adam":
            return Adam(groups, lr=training.learning_rate)
        case "sgd":
            return SGD(groups, lr=training.learning_rate, momentum=training.momentum)
