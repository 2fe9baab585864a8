"""Learning from another model's answers, besides from the words: distillation.

Source: G. Hinton, O. Vinyals, J. Dean 2015, https://arxiv.org/abs/1503.02531
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sayso.classifier.module import Classifier

__all__ = ["Teacher", "divergences", "weigh_mean"]


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained model whose answers another one learns; it never changes, and answers in float32.

    Beside it may stand others that were trained by the same recipe on parts of its clips. What they hear of a clip is
    computed once for all, where that was not learned.
    """

    classifier: Classifier
    """Of the same words and the same format of clips."""
    weights_digest: str
    """SHA-256 of the file it was read from."""
    others: tuple["Teacher", ...] = ()
    """Those beside it."""

    @property
    def classes(self) -> int:
        """Logits of one clip."""
        return self.classifier.classes

    @property
    def count(self) -> int:
        """How many answer: this one and those beside it."""
        return 1 + len(self.others)

    def answer(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch classes"]:
        """Give its logits of clips at their own speed, divided by its fitted temperature, where the samples are."""
        return self.answer_each(samples)[:, 0]

    def answer_each(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch teachers classes"]:
        """Give its logits so, and behind them those of the others."""
        every = [each.classifier.eval().to(samples.device) for each in (self, *self.others)]
        with torch.no_grad(), torch.autocast(samples.device.type, enabled=False):
            if self.classifier.recipe.features.learns:
                return torch.stack([each.answer_as_it_is(samples) for each in every], dim=1)
            heard = self.classifier.features(samples)
            return torch.stack([each.answer(heard) for each in every], dim=1)


def divergences(
    logits: Float[Tensor, "batch classes"], taught: Float[Tensor, "batch classes"], *, temperature: float
) -> Float[Tensor, "batch"]:
    """Kullback-Leibler divergence of the answers from the teacher's, clip by clip.

    It is in nats, times the temperature's square, so that its gradient is as large whatever the temperature is.

    Args:
        logits: of the model that learns.
        taught: of its teacher.
        temperature: what both are divided by, above 0.

    >>> divergences(torch.tensor([[1.0, 3.0]]), torch.tensor([[2.0, 4.0]]), temperature=2.0).tolist()
    [0.0]
    """
    own, theirs = (nn.functional.log_softmax(each / temperature, dim=1) for each in (logits, taught))
    apart = nn.functional.kl_div(own, theirs, reduction="none", log_target=True)
    return temperature**2 * apart.sum(dim=1)


def weigh_mean(
    values: Float[Tensor, "batch"], targets: Int64[Tensor, "batch"], weights: Float[Tensor, "classes"] | None
) -> Float[Tensor, ""]:
    """Mean over clips, each as heavy as its word, as the cross-entropy's is; None: all are alike."""
    if weights is None:
        return values.mean()
    own = weights[targets]
    return (own * values).sum() / own.sum()
