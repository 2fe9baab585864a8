"""A classifier that begins with what another one has learned."""

import torch

from sayso.classifier.module import Classifier
from sayso.errors import ModelError

__all__ = ["begin_from"]


def begin_from(classifier: Classifier, other: Classifier) -> None:
    """Take over another classifier's normaliser and network.

    Words that only the new one knows begin with the weights it has.

    Args:
        classifier: is changed.
        other: of the same features and network, whose words the first one knows too.

    Raises:
        ModelError: the two are not alike so far.
    """
    if not {*other.labels} <= {*classifier.labels}:
        raise ModelError(f"begins from a model of other words ({', '.join(sorted({*other.labels}))})")
    rows = [classifier.labels.index(label) for label in other.labels]
    if classifier.recipe.rejection.has_negatives and other.recipe.rejection.has_negatives:
        rows.append(len(classifier.labels))  # the one of "none of these" stands last
    theirs = other.network.state_dict()
    with torch.no_grad():
        classifier.normaliser.load_state_dict(other.normaliser.state_dict())
        for name, values in classifier.network.state_dict().items():
            _copy_words(name, values, theirs.get(name), rows)


def _copy_words(name: str, values: torch.Tensor, known: torch.Tensor | None, rows: list[int]) -> None:
    """Copy weights that do not hang on the words, or of those that do, the rows of words that are known."""
    if known is not None and known.shape == values.shape:
        values.copy_(known)
    elif known is not None and known.shape[1:] == values.shape[1:] and len(known) == len(rows):
        values[torch.tensor(rows)] = known
    else:
        raise ModelError(f"begins from a model whose {name} is of another size")
