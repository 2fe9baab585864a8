"""Fetching onnxruntime-web, which runs models in the browser: `python -m sayso.web`, or `make web`.

The building of wheels runs this file by its path, so it imports nothing but Python's own library.
"""

import base64
import gzip
import hashlib
import http.client
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from collections.abc import Mapping
from pathlib import Path

__all__ = ["FETCHED", "FILES", "VERSION", "FetchError", "UnreachableError", "fetch", "is_fetched", "main", "registry"]

VERSION = "1.30.0"
"""Of onnxruntime-web, from npm."""
_SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
_ARCHIVE = f"onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
_TIMEOUT_SECONDS = 60
_MOST_BYTES = 100_000_000

FETCHED = Path(__file__).parent / "browser" / "onnxruntime"
"""Where the files lie; git ignores them."""
FILES: Mapping[str, str] = {
    "ort.js": "package/dist/ort.wasm.min.mjs",
    "glue.js": "package/dist/ort-wasm-simd-threaded.mjs",
    "ort.wasm.gz": "package/dist/ort-wasm-simd-threaded.wasm",
}
"""Their names, and those in the archive. Not `.mjs`, for which many a web server has no media type."""
_VERSION_FILE = "version.txt"


class FetchError(Exception):
    """The archive is not the one that is pinned, or cannot be put in its place; the message is one line."""


class UnreachableError(FetchError):
    """No registry is known, it cannot be reached, or has no such archive."""


def is_fetched(folder: Path = FETCHED) -> bool:
    """Say whether the files of this version are there."""
    version = folder / _VERSION_FILE
    return (
        version.is_file()
        and version.read_text(encoding="utf-8") == VERSION
        and all((folder / name).is_file() for name in FILES)
    )


def fetch(folder: Path = FETCHED) -> bool:
    """Fetch the archive, check it, and put three files of it into a folder, the WebAssembly gzipped.

    Returns:
        Whether anything was fetched; False where all was there already.

    Raises:
        UnreachableError: no registry is known, it cannot be reached, or has no such archive.
        FetchError: the archive has another hash than the pinned one, or the folder cannot be written.
    """
    if is_fetched(folder):
        return False
    content = _download(f"{registry()}/{_ARCHIVE}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for name, member in FILES.items():
                _write(folder / name, _member(archive, member, packed=name.endswith(".gz")))
        _write(folder / _VERSION_FILE, VERSION.encode())
    except OSError as error:
        raise FetchError(f"cannot write {error.filename or folder}: {error.strerror}") from error
    return True


def registry() -> str:
    """Give npm's registry without a slash at its end: $npm_config_registry, else as ~/.npmrc or npm itself says.

    Raises:
        UnreachableError: none of them says one.
    """
    chosen = os.environ.get("npm_config_registry") or _in_npmrc() or _of_npm()  # noqa: SIM112 - so npm spells it
    if not chosen:
        mend = "install npm, or set npm_config_registry to a registry that can be reached"
        raise UnreachableError(f"cannot fetch onnxruntime-web {VERSION}, since no registry of npm is known; {mend}")
    return chosen.rstrip("/")


def main() -> int:
    """Fetch, and say what was done; gives the exit code."""
    try:
        done = fetch()
    except FetchError as error:
        sys.stderr.write(f"sayso: {error}\n")
        return 2
    sys.stderr.write(f"onnxruntime-web {VERSION} {'is now' if done else 'was already'} in {FETCHED}\n")
    return 0


def _in_npmrc() -> str:
    try:
        text = (Path.home() / ".npmrc").read_text(encoding="utf-8")
    except (OSError, RuntimeError, UnicodeDecodeError):
        return ""
    found = re.search(r"^\s*registry\s*=\s*[\"']?([^\s\"';#]+)", text, re.MULTILINE)
    return os.path.expandvars(found[1]) if found else ""


def _of_npm() -> str:
    """Ask npm, which knows the public one."""
    npm = shutil.which("npm")
    if npm is None:
        return ""
    command = [npm, "config", "get", "registry"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return asked.stdout.strip()


def _download(url: str) -> bytes:
    where = "set npm_config_registry to a registry that can be reached"
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:
            content = response.read(_MOST_BYTES + 1)
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
        raise UnreachableError(f"cannot fetch onnxruntime-web {VERSION} ({reason}); {where}") from error
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != _SHA512:
        raise FetchError(f"what the registry gave for onnxruntime-web {VERSION} has not the pinned SHA-512; {where}")
    return content


def _member(archive: tarfile.TarFile, name: str, *, packed: bool) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise FetchError(f"the archive of onnxruntime-web {VERSION} lacks {name}")
    content = file.read()
    return gzip.compress(content, mtime=0) if packed else content


def _write(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).chmod(0o644)
    Path(name).replace(path)
