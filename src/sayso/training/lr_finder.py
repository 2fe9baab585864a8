"""The learning-rate range test: a short training with a rate that grows, to see where learning is fastest.

Source: L. N. Smith 2017, https://arxiv.org/abs/1506.01186, with the exponential growth, the smoothing and the tenth of
the rate at the lowest loss that S. Gugger describes in https://sgugger.github.io/how-do-you-find-a-good-learning-rate.html
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sayso.errors import Fault, RunError, SettingsError
from sayso.recipe.prepared import Prepared
from sayso.system.distributed import Processes
from sayso.training.hardware import choose_hardware
from sayso.training.learner import Learner, new_learner
from sayso.training.optimisers import make_optimiser
from sayso.training.teacher import Teacher

__all__ = ["RateSearch", "search_learning_rate", "smooth"]

_KEPT_SHARE = 0.95
_HOPELESS = 4.0
_LEAST_STEPS = 20


@dataclass(frozen=True)
class RateSearch:
    """The loss at every rate that was tried, and the rate to train with."""

    rates: tuple[float, ...]
    """Rising by the same factor from step to step."""
    losses: tuple[float, ...]
    """Mean loss of the batch, before the step of that rate is taken."""
    smoothed: tuple[float, ...]
    """The losses as a moving average."""
    lowest: int
    """Index of the lowest smoothed loss."""

    @property
    def suggestion(self) -> float:
        """A tenth of the rate at the lowest smoothed loss, to two digits."""
        return float(f"{self.rates[self.lowest] / 10:.1e}")

    @property
    def still_falling(self) -> bool:
        """Whether the loss was lowest at the very end, so that a higher rate may be better still."""
        return self.lowest == len(self.rates) - 1


def search_learning_rate(
    prepared: Prepared,
    *,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 200,
    teacher: Teacher | None = None,
) -> RateSearch:
    """Train from the recipe's first weights on training clips, the rate growing from `lowest` to `highest`.

    Stops once the smoothed loss is four times its lowest. The same recipe gives the same curve; nothing is kept.

    Args:
        prepared: optimiser, batch, augmentation and seed are the recipe's own, its learning rate and schedule are not
            used; of the clips only the training part is looked at.
        lowest: the first learning rate.
        highest: the last.
        steps: batches, at least 20; clips come round again where there are fewer.
        teacher: the recipe's own; None: it has none.

    Raises:
        SettingsError: rates or steps that make no search.
        RunError: the loss grows, or is no number, from the start.
    """
    if not 0 < lowest < highest < math.inf:
        raise SettingsError([Fault("--lowest", f"is {lowest:g}, must be above 0 and below --highest ({highest:g})")])
    if steps < _LEAST_STEPS:
        raise SettingsError([Fault("--steps", f"is {steps}, must be at least {_LEAST_STEPS}")])
    hardware = replace(choose_hardware(prepared.recipe.training, prepared.recipe.model), processes=Processes())
    learner = new_learner(Learner, prepared, hardware, teacher=teacher).to(hardware.device)
    rates = np.geomspace(lowest, highest, steps).tolist()
    losses: list[float] = []
    with prepared.progress.task("searching", total=steps, unit="steps") as task:
        for loss in _losses(learner, rates):
            losses.append(loss)
            task.advance()
            task.tell(f"rate {rates[len(losses) - 1]:.1e}, loss {loss:.3f}")
            if not math.isfinite(loss) or _hopeless(smooth(losses)):
                break
    return _found(rates, losses)


def smooth(losses: list[float]) -> list[float]:
    """Exponential moving average, each value freed of the zero that the average starts from.

    >>> smooth([2.0, 2.0, 2.0])
    [2.0, 2.0, 2.0]
    """
    average, values = 0.0, list[float]()
    for step, loss in enumerate(losses, start=1):
        average = _KEPT_SHARE * average + (1 - _KEPT_SHARE) * loss
        values.append(round(average / (1 - _KEPT_SHARE**step), 12))
    return values


def _losses(learner: Learner, rates: list[float]) -> Iterator[float]:
    learner.train()
    optimiser = make_optimiser(
        learner.settings,
        learner.classifier.network.parameters(),
        of_features=learner.classifier.features.parameters(),
    )
    # Features that learn have a share of the rate.
    shares = [group["lr"] / learner.settings.learning_rate for group in optimiser.param_groups]
    for step, rate in enumerate(rates):
        epoch, batch = divmod(step, learner.steps_per_epoch)
        loss, _, _ = learner.batch_loss(epoch, batch)
        yield loss.item()
        for group, share in zip(optimiser.param_groups, shares, strict=True):
            group["lr"] = rate * share
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def _hopeless(averages: list[float]) -> bool:
    return averages[-1] > _HOPELESS * min(averages)


def _found(rates: list[float], losses: list[float]) -> RateSearch:
    finite = losses[: next((step for step, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))]
    averages = smooth(finite)
    lowest = averages.index(min(averages)) if averages else 0
    if len(finite) < _LEAST_STEPS // 2 or lowest == 0:
        what = "is no number" if len(finite) < len(losses) else "only grew"
        raise RunError(
            f"the learning-rate search diverged at once: after {len(losses)} steps, from rate {rates[0]:.1e} to "
            f"{rates[len(losses) - 1]:.1e}, the loss {what}; start lower with --lowest, or look at the clips"
        )
    return RateSearch(tuple(rates[: len(finite)]), tuple(finite), tuple(averages), lowest)
