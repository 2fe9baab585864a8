"""Classifier: features, normaliser, network and labels as one module, samples in and logits out.

It is what is trained, saved and exported, so nobody has to keep two front ends in step.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int16
from torch import Tensor, nn

from sayso.audio import FULL_SCALE
from sayso.classifier.kept_features import FeatureTable
from sayso.dsp.speed import play_at
from sayso.features import Feature
from sayso.recipe.recipe import Recipe

__all__ = ["AtPeak", "Classifier", "Normaliser", "samples_from_int16"]


_ROUNDING = 1e-6


class Normaliser(nn.Module):
    """Subtract a mean and divide by a deviation that were measured on the training clips.

    Args:
        shape: (channels, bins, frames) of the features.
        by: one mean and deviation for each `bin` (of each channel), one for `all`, or `none`.
    """

    def __init__(self, shape: tuple[int, int, int], *, by: Literal["bin", "all", "none"]) -> None:
        super().__init__()
        self.by = by
        size = (shape[0], shape[1], 1) if by == "bin" else (1, 1, 1)
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))
        self.mean: Tensor
        self.deviation: Tensor

    def forward(
        self, features: Float[Tensor, "batch channels bins frames"]
    ) -> Float[Tensor, "batch channels bins frames"]:
        """Normalise a batch."""
        return features if self.by == "none" else (features - self.mean) / self.deviation

    def measure(self, batches: Iterable[Tensor]) -> None:
        """Set mean and deviation from batches of training features.

        A bin that never changes, but for the rounding of its mean, keeps deviation 1.
        """
        if self.by == "none":
            return
        dimensions = (0, 3) if self.by == "bin" else (0, 1, 2, 3)
        count, total, squares = 0, torch.zeros(()), torch.zeros(())
        for features in batches:
            wide = features.double()
            count += wide.numel() // (wide.shape[1] * wide.shape[2] if self.by == "bin" else 1)
            total = total.to(wide) + wide.sum(dimensions, keepdim=True)[0]
            squares = squares.to(wide) + wide.square().sum(dimensions, keepdim=True)[0]
        mean = total / count
        deviation = (squares / count - mean.square()).clamp(min=0).sqrt()
        self.mean.copy_(mean)
        # Beside its mean: linear features may vary by a millionth, and that is all they say.
        changes = (deviation > _ROUNDING * mean.abs()) & (deviation > torch.finfo(torch.float32).tiny)
        self.deviation.copy_(torch.where(changes, deviation, torch.ones_like(deviation)))


class AtPeak(Feature):
    """Features of clips brought to a peak of 1; silence stays silence.

    Args:
        features: what is computed of them.
    """

    def __init__(self, features: Feature) -> None:
        super().__init__()
        self.features = features
        self.shape = features.shape
        self.networks = tuple(f"features.{name}" for name in features.networks)

    def fill(self) -> None:
        """Fill in what the features have learned elsewhere."""
        self.features.fill()

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch channels bins frames"]:
        """Represent a batch of clips."""
        return self.features(_at_peak(samples))

    @property
    def steady_shape(self) -> tuple[int, int, int]:
        """As of the features."""
        return self.features.steady_shape

    def steady(self, samples: Float[Tensor, "batch samples"]) -> Tensor:
        """As the features, of clips at their peak."""
        return self.features.steady(_at_peak(samples))

    def learned(self, steady: Tensor) -> Float[Tensor, "batch channels bins frames"]:
        """As the features."""
        return self.features.learned(steady)


def _at_peak(samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch samples"]:
    peak = samples.abs().amax(dim=1, keepdim=True)  # (batch, 1)
    return samples / torch.clamp(peak, min=1 / FULL_SCALE)


class Classifier(nn.Module):
    """A recipe's features, normaliser and network, for these labels.

    Args:
        recipe: names the parts.
        labels: the words, one for each logit; where the recipe has negatives, one logit more stands behind them, of
            "none of these".

    Attributes:
        threshold: an answer of less probability is "none of these"; None: a word is always named. Kept and exported
            like the temperature.
        classes: logits of one clip: the words, and "none of these" where the recipe has negatives.
        kept: features that were computed before, which `sayso.classifier.inference` looks up; None: there are none.
    """

    def __init__(self, recipe: Recipe, labels: Sequence[str]) -> None:
        super().__init__()
        self.recipe = recipe
        self.labels = tuple(labels)
        # A tensor of its own, so that it has a name in the exported graph.
        self.register_buffer("divisor", torch.ones(()), persistent=False)
        self.divisor: Tensor
        self.temperature = 1.0
        self.threshold: float | None = None
        self.kept: FeatureTable | None = None
        self.audio = recipe.audio
        features = recipe.features.build(recipe.audio)
        self.features = AtPeak(features) if recipe.level == "peak" else features
        self.normaliser = Normaliser(self.features.shape, by=recipe.normalise)
        self.speeds = nn.ModuleList(play_at(recipe.audio.clip_samples, each) for each in recipe.test_time_speeds)
        self.classes = len(self.labels) + recipe.rejection.has_negatives
        self.network = recipe.model.build(self.features.shape, self.classes)

    @property
    def temperature(self) -> float:
        """What the network's logits are divided by, so that their softmax means what it says; `divisor` in float32.

        It is 1 until it is fitted (`sayso.evaluation.calibration`), kept and exported with the model, and no part of
        training.
        """
        return self._temperature

    @temperature.setter
    def temperature(self, value: float) -> None:
        """Set both."""
        self._temperature = value
        self.divisor.fill_(value)

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch classes"]:
        """Score each word for a batch of clips, float32 in [-1, 1)."""
        if not self.speeds:
            return self.answer_as_it_is(samples)
        count = len(self.speeds)
        played = torch.stack([play(samples) for play in self.speeds], dim=1).flatten(0, 1)  # (batch * speeds, samples)
        answers = self.answer_as_it_is(played)
        # A mean that names no number of classes, so that the graph serves again where a word is added.
        return nn.functional.avg_pool1d(answers.T[None], count, count)[0].T

    def answer_as_it_is(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch classes"]:
        """Score each word for clips at their own speed alone."""
        return self.answer(self.features(samples))

    def answer(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word for clips that are represented already, at the speed at which they were."""
        return self.network(self.normaliser(features)) / self.divisor

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of its modules that are networks of layers; all else transforms sound, and int8 leaves it alone."""
        return ("network", *(f"features.{name}" for name in self.features.networks))

    @property
    def parameters_count(self) -> int:
        """How many numbers training adjusts."""
        return sum(parameter.numel() for parameter in self.parameters() if parameter.requires_grad)


def samples_from_int16(samples: Int16[Tensor, "batch samples"]) -> Float[Tensor, "batch samples"]:
    """Packed samples as float32 in [-1, 1), exactly as `sayso.audio.to_float` gives them."""
    return samples.float() / FULL_SCALE
