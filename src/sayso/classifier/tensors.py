"""Tensors on disk, in safetensors."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from sayso.system.files import write_bytes

__all__ = ["write_tensors"]


def write_tensors(path: Path, tensors: dict[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write tensors, and a header of values that JSON can hold, atomically.

    Raises:
        OutputError: the disk is full, or the place cannot be written.
    """
    # One entry: safetensors writes several in any order, and the same tensors are to be the same file. The file is
    # written here, since safetensors does not tell a full disk from what else may fail.
    write_bytes(path, save(tensors, metadata={"sayso": json.dumps(header, ensure_ascii=False)}))
