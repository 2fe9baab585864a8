"""What can be known to fail before anything is written."""

from sayso.data.splits.draw import Split
from sayso.recipe.recipe import Recipe
from sayso.system.distributed import make_once
from sayso.training.batches import check_shares
from sayso.training.hardware import Hardware, choose_hardware
from sayso.training.tracking import check_tracking

__all__ = ["check_readiness"]


def check_readiness(recipe: Recipe, split: Split) -> Hardware:
    """Check that a recipe can be trained here, and say on what.

    Raises:
        SettingsError: the device is not here, or the batches are too small for so many processes.
        MissingExtraError: the tracker's package is not installed.
        OutputError: the tracker's folder cannot be written, or its server does not answer.
    """
    hardware = choose_hardware(recipe.training)
    check_shares(recipe.training, len(split.train), hardware.processes)
    make_once(lambda: check_tracking(recipe.training))
    return hardware
