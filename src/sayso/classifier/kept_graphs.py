"""Graphs that were traced, kept for modules that differ from these in their numbers alone.

They lie in the cache, or in the folder that SAYSO_GRAPHS names, such as one that many caches share.
"""

import os
import sys
import zlib
from collections.abc import Hashable, Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sayso.config.outside import find_outside_parts
from sayso.errors import OutputError
from sayso.recipe.recipe import Recipe
from sayso.system.files import atomic_path, cache_folder, digest, expand_home

__all__ = ["keep_graph", "kept_graph"]

_KEPT = 100
_TRACERS = ("torch", "onnx", "onnx_ir", "onnxscript")
_QUICKLY = 1


def kept_graph(key: Hashable, recipe: Recipe) -> Any | None:
    """Give the graph of an earlier module with this key, as an onnx.ModelProto whose named tensors hold zeros.

    Args:
        key: what decides the graph, beside code; with a `repr` that tells it from all others.
        recipe: by which the module was made, for the code of its parts.

    Returns:
        None where none is kept, or it is damaged, or code that made it has changed since.
    """
    path = _path(key, recipe)
    if path is None:
        return None
    onnx, protobuf = import_module("onnx"), import_module("google.protobuf.message")
    try:
        content = zlib.decompress(path.read_bytes())
        return onnx.load_model_from_string(content)
    except (OSError, zlib.error, protobuf.DecodeError):
        return None


def keep_graph(key: Hashable, recipe: Recipe, graph: Any, tensors: Mapping[str, Any]) -> None:
    """Keep a graph without the numbers of its named tensors; where the cache cannot be written, nothing is kept.

    Args:
        key: as for `kept_graph`.
        recipe: the same.
        graph: an onnx.ModelProto.
        tensors: names of the tensors that each module brings.
    """
    path = _path(key, recipe)
    if path is None:
        return
    bare = type(graph)()
    bare.CopyFrom(graph)
    for entry in bare.graph.initializer:
        if entry.name in tensors and entry.HasField("raw_data"):
            entry.raw_data = bytes(len(entry.raw_data))
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(zlib.compress(bare.SerializeToString(), _QUICKLY))
    except OutputError:
        return
    _forget(path.parent)


def _forget(folder: Path) -> None:
    """Remove all but those that were written last."""
    written: list[tuple[float, Path]] = []
    for path in folder.glob("*.onnx.z"):
        with suppress(FileNotFoundError):  # another process forgets, too
            written.append((path.stat().st_mtime, path))
    for _, path in sorted(written)[:-_KEPT]:
        path.unlink(missing_ok=True)


def _path(key: Hashable, recipe: Recipe) -> Path | None:
    """Where the graph of a key lies; None where nobody knows by what code its parts are made."""
    outside = find_outside_parts(recipe)
    if any(not part["code"] for part in outside):
        return None
    made_by = [repr(key), *outside, _code(), list(sys.version_info[:2]), *map(version, _TRACERS)]
    return _folder() / f"{digest(made_by)}.onnx.z"


def _folder() -> Path:
    if chosen := os.environ.get("SAYSO_GRAPHS"):
        return expand_home(chosen)
    return cache_folder() / "graphs"


@cache
def _code() -> str:
    """SHA-256 over Sayso's own modules, any of which may have a part in a graph."""
    root, whole = Path(__file__).parents[1], sha256()
    for path in sorted(root.rglob("*.py")):
        whole.update(f"{path.relative_to(root)}\0".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()
