"""Where the files lie that a browser loads."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sayso.errors import OutputError
from sayso.web.fetch import FETCHED, FILES, is_fetched

__all__ = ["asset_files", "licence_files", "look", "runtime_files"]

_HERE = Path(__file__).parent
_BROWSER = _HERE / "browser"
_KINDS = (".js", ".css", ".html")


def asset_files() -> Mapping[str, Path]:
    """Give Sayso's own modules, styles and the page, by the names under which they know one another."""
    return {path.name: path for path in sorted(_BROWSER.iterdir()) if path.suffix in _KINDS}


def runtime_files() -> Mapping[str, Path]:
    """Give the files of onnxruntime-web, by the same kind of names.

    Raises:
        OutputError: they were never fetched, as in a checkout.
    """
    if not is_fetched():
        raise OutputError(
            "onnxruntime-web, which runs models in the browser, is not here; fetch it with: python -m sayso.web"
        )
    return {f"{FETCHED.name}/{name}": FETCHED / name for name in FILES}


def licence_files() -> Mapping[str, Path]:
    """Give the texts of licences that go with those files: Sayso's own, and onnxruntime-web's with its notices."""
    import onnxruntime

    notices = Path(onnxruntime.__file__).with_name("ThirdPartyNotices.txt")
    own = {path.name: path for path in sorted((_HERE / "licenses").glob("*.txt"))}
    return {**own, "onnxruntime-web-ThirdPartyNotices.txt": notices} if notices.is_file() else own


@cache
def look() -> str:
    """Give the stylesheet that all of Sayso's pages have."""
    return (_BROWSER / "look.css").read_text(encoding="utf-8")
