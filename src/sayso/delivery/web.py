"""A model as static files for any web host: the page to talk to it, and `sayso.js` for pages of one's own.

A service worker keeps the page for times without a network; it names every file by its hash, so that a new export is
another worker, and no file of an old one is shown beside those of the new.
"""

import gzip
import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sayso.delivery.licences import write_licences
from sayso.delivery.shared import MODEL_CARD, check_new, shared_model
from sayso.system.files import atomic_folder
from sayso.web import MODEL_JSON, asset_files, describe, licence_files, runtime_files

__all__ = ["WebExport", "export_web"]

_SERVICE_WORKER = "service-worker.js"
_PARTS = (
    "Sayso, its page and modules: Apache License 2.0, Apache-2.0.txt.",
    "onnxruntime-web, in onnxruntime/: MIT License, onnxruntime-web.txt; what it is made of: "
    "onnxruntime-web-ThirdPartyNotices.txt.",
)


@dataclass(frozen=True)
class WebExport:
    """What was written."""

    folder: Path
    transferred_bytes: int
    """What a browser loads of it at the first visit."""
    notes: tuple[str, ...]
    """What a person should know of the model."""


def export_web(model: Path, folder: Path, *, names: bool = False) -> WebExport:
    """Write a model as a web page: static files that any web server can give out, and that load nothing from elsewhere.

    Args:
        model: a `model.onnx`, or a run's folder.
        folder: where to; new, or empty.
        names: keep people's names, paths and folders in model card and recipe, as far as the run's folder has them.

    Raises:
        ModelError: the model is missing, none, or one that this version cannot read.
        OutputError: the folder is there already, it cannot be written, or onnxruntime-web was never fetched.
    """
    described = describe(model)
    shared = shared_model(model, described.graph, names=names)
    files = {**asset_files(), **runtime_files()}
    check_new(folder)
    # Many a web server sends such a file as it is; the page opens it.
    packed = f"{described.graph.name}.gz"
    graph = described.facts["graph"] | {"file": packed, "bytes": len(shared.content)}
    facts = json.dumps(described.facts | {"graph": graph}, ensure_ascii=False, allow_nan=False)
    with atomic_folder(folder) as new:
        _copy(files, new)
        (new / packed).write_bytes(gzip.compress(shared.content, mtime=0))
        (new / MODEL_JSON).write_text(facts, encoding="utf-8")
        _write_service_worker(new)
        count = sum(path.stat().st_size for path in new.rglob("*") if path.is_file())
        # Beside the page, not of it: some hosts turn Markdown into something else, and the page must not miss it.
        if shared.card:
            (new / MODEL_CARD).write_text(shared.card, encoding="utf-8")
        write_licences(new, licence_files(), _PARTS, recipe=shared.recipe, credit=described.facts["credit"])
    return WebExport(folder, count, described.notes)


def _copy(files: Mapping[str, Path], folder: Path) -> None:
    for name, path in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)


def _write_service_worker(folder: Path) -> None:
    """Put the version, and the hashes of all files of a page, above its service worker."""
    worker = folder / _SERVICE_WORKER
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != worker)
    hashes = {path.relative_to(folder).as_posix(): _hashes(path) for path in paths}
    own = worker.read_text(encoding="utf-8")
    version = hashlib.sha256(json.dumps([hashes, own]).encode()).hexdigest()
    told = json.dumps({"VERSION": version, "FILES": hashes})
    worker.write_text(f"Object.assign(self, {told});\n{own}", encoding="utf-8")


def _hashes(path: Path) -> list[str]:
    """SHA-256 of a file, and of what is in a gzipped one, as some servers open it."""
    content = path.read_bytes()
    forms = [content, gzip.decompress(content)] if path.suffix == ".gz" else [content]
    return [hashlib.sha256(form).hexdigest() for form in forms]
