"""What can be known before anything is written: whether a training would fail, and whether it would be slow."""

from collections.abc import Iterator
from dataclasses import replace

import torch

from sayso.classifier.cost import count_multiply_adds
from sayso.classifier.module import Classifier
from sayso.errors import Fault, SettingsError
from sayso.features.mel import MelConfig
from sayso.models.tc_resnet import TCResNetConfig
from sayso.recipe.prepared import Prepared
from sayso.system.distributed import make_once
from sayso.training.batches import check_shares, count_batches
from sayso.training.feature_cache import check_copies
from sayso.training.hardware import Hardware, choose_hardware
from sayso.training.tracking import check_tracking

__all__ = ["check_readiness", "note_cost"]

# Less than an order of magnitude is not worth a line.
_COSTLY = 10


def check_readiness(prepared: Prepared) -> Hardware:
    """Check that a recipe can be trained here, and say on what.

    Raises:
        SettingsError: the device is not here, the batches are too small for so many processes or for the network, or
            the features of augmented copies too large.
        MissingExtraError: the tracker's package is not installed.
        OutputError: the tracker's folder cannot be written, or its server does not answer.
    """
    training = prepared.recipe.training
    hardware = choose_hardware(training, prepared.recipe.model)
    check_shares(training, len(prepared.split.train), hardware.processes)
    _check_single_clips(prepared)
    if training.copies and training.on == "clips":
        shape = prepared.recipe.features.build(prepared.recipe.audio).steady_shape
        check_copies(training.copies, len(prepared.split.train), shape)
    make_once(lambda: check_tracking(training))
    return hardware


def _check_single_clips(prepared: Prepared) -> None:
    """Check that a network can learn from batches of one clip, where they are such."""
    recipe, clips = prepared.recipe, len(prepared.split.train)
    if clips > count_batches(clips, recipe.training.batch_size):
        return
    classifier = Classifier(recipe, prepared.corpus.labels)
    try:
        classifier.network.train()(torch.zeros(1, *classifier.features.shape))
    except ValueError as error:  # of a norm
        problem = f"makes batches of one clip, and {recipe.model.kind} norms over the clips of a batch"
        raise SettingsError(
            [Fault("training.batch_size", f"is {recipe.training.batch_size}: that {problem}; raise it")]
        ) from error


def note_cost(prepared: Prepared) -> Iterator[str]:
    """Yield a note where a clip costs many times what it would with `tc_resnet` on `mel`, as they are by default.

    Multiply-adds are counted: of the network, and of what every batch computes anew of the features.
    """
    recipe, labels = replace(prepared.recipe, test_time_speeds=()), prepared.corpus.labels
    try:
        usual = replace(recipe, features=MelConfig(), model=TCResNetConfig())
    except SettingsError:  # not for these clips
        return
    augmented = any(part.works_on == "samples" for part in recipe.augment) and not recipe.training.copies
    is_whole = recipe.features.learns and not recipe.features.splits
    own = count_multiply_adds(Classifier(recipe, labels), features=augmented or is_whole)
    least = count_multiply_adds(Classifier(usual, labels))
    if own >= _COSTLY * least:
        million, times = f"{own / 1e6:,.0f} million multiply-adds", f"{own / least:.0f} times as many"
        chosen = f"{recipe.model.kind} on {recipe.features.kind}"
        light = f"{usual.model.kind} on {usual.features.kind}"
        yield f"{chosen} takes {million} a clip, {times} as {light}: training will be slow"
