"""Training: a learner, and `fit`, which has it learn so that it can stop anywhere and go on bit for bit.

Everything random is drawn from (seed, epoch, step): the order of clips, augmentation, dropout. Resuming at an epoch's
end therefore needs no memory of what was drawn before.
"""

from sayso.training.fit import Fitted, fit
from sayso.training.hardware import Hardware, choose_hardware
from sayso.training.learner import compute_features
from sayso.training.lr_finder import RateSearch, search_learning_rate
from sayso.training.preflight import check_readiness, note_cost
from sayso.training.sources import Sources
from sayso.training.teacher import Teacher

__all__ = [
    "Fitted",
    "Hardware",
    "RateSearch",
    "Sources",
    "Teacher",
    "check_readiness",
    "choose_hardware",
    "compute_features",
    "fit",
    "note_cost",
    "search_learning_rate",
]
