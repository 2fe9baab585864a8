"""Files that the studio gives out beside its own page: sounds, models, and pages that may do nothing there."""

from pathlib import Path

from starlette.responses import FileResponse, Response

from sayso.errors import DataError

__all__ = ["give_file", "give_page", "give_sound"]

_SOUNDS = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".m4a": "audio/mp4",
}
_ANY_FILE = "application/octet-stream"
# A report or an audit is a page of its own, with a script inside; it may do nothing here.
_PAGE_POLICY = (
    "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts allow-downloads"
)
_FILE_POLICY = "default-src 'none'; sandbox"


def give_sound(path: Path) -> Response:
    """Give a sound, under its kind where a browser plays that."""
    kind = _SOUNDS.get(path.suffix.lower(), _ANY_FILE)
    return FileResponse(path, media_type=kind, headers={"content-security-policy": _FILE_POLICY})


def give_file(path: Path, *, of: str) -> Response:
    """Give a file to be kept.

    Args:
        path: the file.
        of: whose it is, such as `run`.

    Raises:
        DataError: it is not there.
    """
    return _give(path, of, _ANY_FILE, _FILE_POLICY)


def give_page(path: Path, *, of: str) -> Response:
    """Give a page that Sayso wrote, which reaches nothing of the studio; arguments and errors as `give_file`."""
    return _give(path, of, "text/html; charset=utf-8", _PAGE_POLICY)


def _give(path: Path, of: str, kind: str, policy: str) -> Response:
    if not path.is_file():
        raise DataError(f"this {of} has no {path.name}; it has not finished, or it was removed")
    return FileResponse(path, media_type=kind, headers={"content-security-policy": policy})
