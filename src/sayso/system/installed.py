"""What is installed beside Sayso: packages that train, and files that a package ships, found without importing it."""

from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, files, version
from pathlib import Path

from sayso.errors import MissingExtraError, ModelError, install_command
from sayso.system.files import file_digest

__all__ = ["TRAINING_PACKAGES", "find_installed_file", "needing_package", "needing_training_packages"]

TRAINING_PACKAGES = frozenset(
    (
        *("torch", "lightning", "safetensors", "scipy", "sklearn", "threadpoolctl"),
        *("jaxtyping", "matplotlib", "jinja2", "onnx", "onnxscript"),
    )
)
"""What the extra `train` brings; answering with a model file needs none of it."""


@contextmanager
def needing_package(package: str, what: str, *, extra: str) -> Generator[None]:
    """Say that `what` needs an extra where its package is missing in the block, which imports it.

    Raises:
        MissingExtraError: it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == package:
            raise MissingExtraError(what, extra=extra) from error
        raise


@contextmanager
def needing_training_packages(what: str) -> Generator[None]:
    """Say that `what` needs the extra `train` where one of its packages is missing in the block, which imports them.

    Raises:
        MissingExtraError: one is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in TRAINING_PACKAGES:
            raise MissingExtraError(what, extra="train") from error
        raise


def find_installed_file(package: str, path: str, *, sha256: str, what: str, extra: str) -> Path:
    """Give the place of a file of an installed package.

    Args:
        package: as it is called on the package registry.
        path: of the file, below where packages are installed.
        sha256: what the file must hash to.
        what: is needed, for the message.
        extra: of Sayso, with which it is installed.

    Raises:
        MissingExtraError: the package is not installed.
        ModelError: it is, but holds no such file, or another one.
    """
    try:
        found = [file for file in files(package) or () if str(file) == path]
    except PackageNotFoundError as error:
        raise MissingExtraError(what, extra=extra) from error
    here = f"{package} {version(package)}"
    place = Path(str(found[0].locate())) if found else None
    if place is None or not place.is_file():
        raise ModelError(f"{here} holds no {path}; install the version that Sayso asks for: {install_command(extra)}")
    if (digest := file_digest(place)) != sha256:
        raise ModelError(
            f"{place}: is not what Sayso knows (SHA-256 {digest}, must be {sha256}); {here} is installed, "
            f"this brings the right one: {install_command(extra)}"
        )
    return place
