"""The parts of a corpus: what came of dividing it."""

from dataclasses import dataclass

import numpy as np

from sayso.data.corpus import Rows
from sayso.errors import Fault, SettingsError
from sayso.system.files import digest

__all__ = ["LEAST_TO_CHOOSE", "Split"]

LEAST_TO_CHOOSE = 20
"""Validation clips that it takes to choose an epoch by."""
# Chosen by simulation: 40 epochs that come to 80, 90 or 97 %, and stray by 1.5 points at first, less at the end.
# Of 3 to 10 clips the best epoch was 0.1 points worse to no better than the last one, since one clip that is right by
# chance outweighs what the last epochs learn. Where they lose 2 points, 5 clips won 0.2 of them back, 20 clips 0.5.


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of a corpus by part, what the split is called, and what a reader of the score must know."""

    train: Rows
    validation: Rows
    test: Rows
    kind: str
    """official, random, speakers (a fold is of that kind, too), or each speaker."""
    notes: tuple[str, ...] = ()
    speakers_shared: int | None = None
    """How many speakers of the test part are in the training part too; None where those tested are not known."""

    @property
    def chooses_epoch(self) -> bool:
        """Whether the validation clips are enough to tell which epoch is best; else the last one counts."""
        return len(self.validation) >= LEAST_TO_CHOOSE

    @property
    def split_hash(self) -> str:
        """SHA-256 over the three lists of rows."""
        return digest([part.tolist() for part in (self.train, self.validation, self.test)])

    def rows(self, part: str) -> Rows:
        """Rows of the part `train`, `validation` or `test`, or of `all`."""
        if part not in ("train", "validation", "test", "all"):
            raise SettingsError([Fault("part", f"is '{part}', must be train, validation, test or all")])
        if part == "all":
            return np.unique(np.concatenate((self.train, self.validation, self.test)))
        return {"train": self.train, "validation": self.validation, "test": self.test}[part]
