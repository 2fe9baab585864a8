"""Features of clips that were represented once, found again by the samples of these clips.

A run on a frozen, pretrained representation leaves them in its folder, so that it can learn more words in seconds: of
its own clips nothing is represented again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from sayso.classifier.tensors import write_tensors
from sayso.errors import ModelError
from sayso.system.files import parse_json

__all__ = ["FeatureTable", "KeptFeatures"]

FORMAT_VERSION = 1
_MOST_BYTES = 2**27
"""What a run's folder is given of them, 128 MiB."""


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of some clips, each known by the fingerprint of its samples, as a corpus has it."""

    marks: tuple[str, ...]
    values: Tensor
    """(clips, channels, bins, frames), not normalised."""

    @cached_property
    def _places(self) -> dict[str, int]:
        return {mark: place for place, mark in enumerate(self.marks)}

    def find(self, marks: Sequence[str]) -> NDArray[np.int64]:
        """Places of these clips in `values`, (clips,); -1 for one that is not there."""
        return np.array([self._places.get(mark, -1) for mark in marks], dtype=np.int64)

    def __getitem__(self, places: NDArray[np.int64]) -> Tensor:
        """Features at these places, float32."""
        return self.values[torch.from_numpy(places)].float()


@dataclass(frozen=True, eq=False)
class KeptFeatures:
    """Features by one representation that does not learn."""

    as_they_are: FeatureTable
    copies: tuple[FeatureTable, ...] = ()
    """Of augmented copies of the clips that trained, and of negatives; one table a copy."""

    def copy(self, number: int) -> FeatureTable:
        """The table of a copy; the clips as they are where no such copy was made."""
        return self.copies[number] if number < len(self.copies) else self.as_they_are

    def save(self, path: Path) -> bool:
        """Write them, copies as float16, and of these as many as go into 128 MiB.

        Returns:
            False, and writes nothing, where the clips as they are would take more than that.

        Raises:
            OutputError: the place cannot be written.
        """
        tensors = {"as_they_are": self.as_they_are.values.float().contiguous()}
        marks = {"as_they_are": self.as_they_are.marks}
        left = _MOST_BYTES - _bytes(tensors["as_they_are"])
        if left < 0:
            return False
        for place, copy in enumerate(self.copies):
            half = copy.values.half().contiguous()
            if _bytes(half) > left:
                break
            left -= _bytes(half)
            tensors[f"copy.{place}"], marks[f"copy.{place}"] = half, copy.marks
        write_tensors(path, tensors, {"format_version": FORMAT_VERSION, "marks": marks})
        return True

    @classmethod
    def load(cls, path: Path) -> "KeptFeatures":
        """Read what `save` wrote.

        Raises:
            ModelError: the file is missing, damaged or of another format.
        """
        if not path.is_file():
            raise ModelError(f"{path}: no such file; features are kept by runs on a frozen, pretrained representation")
        try:
            with safe_open(path, framework="pt") as file:
                header = parse_json((file.metadata() or {})["sayso"])
                if header["format_version"] != FORMAT_VERSION:
                    raise ValueError(f"format {header['format_version']}, this Sayso reads {FORMAT_VERSION}")
                tables = [FeatureTable(tuple(marks), file.get_tensor(name)) for name, marks in header["marks"].items()]
            if any(table.values.shape[0] != len(table.marks) or table.values.dim() != 4 for table in tables):
                raise ValueError("not as many features as clips")
        except (SafetensorError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise ModelError(f"{path}: cannot be read as kept features ({str(error).splitlines()[0]})") from error
        return cls(tables[0], tuple(tables[1:]))


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
