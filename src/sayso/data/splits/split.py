"""The parts of a corpus: what came of dividing it."""

from dataclasses import dataclass

import numpy as np

from sayso.data.corpus import Rows
from sayso.errors import Fault, SettingsError
from sayso.system.files import digest

__all__ = ["Split"]


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
