"""What can be known to fail before anything is written."""

from sayso.recipe.prepared import Prepared
from sayso.system.distributed import make_once
from sayso.training.batches import check_shares
from sayso.training.feature_cache import check_copies
from sayso.training.hardware import Hardware, choose_hardware
from sayso.training.tracking import check_tracking

__all__ = ["check_readiness"]


def check_readiness(prepared: Prepared) -> Hardware:
    """Check that a recipe can be trained here, and say on what.

    Raises:
        SettingsError: the device is not here, the batches are too small for so many processes, or the features of
            augmented copies too large.
        MissingExtraError: the tracker's package is not installed.
        OutputError: the tracker's folder cannot be written, or its server does not answer.
    """
    training = prepared.recipe.training
    hardware = choose_hardware(training)
    check_shares(training, len(prepared.split.train), hardware.processes)
    if training.copies:
        shape = prepared.recipe.features.build(prepared.recipe.audio).shape
        check_copies(training.copies, len(prepared.split.train), shape)
    make_once(lambda: check_tracking(training))
    return hardware
