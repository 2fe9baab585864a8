"""Sound files that are sent: what `sayso.audio` reads, by a file that is gone at once."""

import tempfile
from pathlib import Path

from sayso.audio import Sound, read_sound
from sayso.data.datasets.folder.found import is_sound
from sayso.errors import AudioError, OutputError

__all__ = ["read_bytes"]


def read_bytes(name: str, content: bytes, *, end_seconds: float) -> Sound:
    """Decode the bytes of a sound file; nothing behind `end_seconds` is read.

    Args:
        name: what it is called, for messages, and for its ending where that is one of sound.
        content: what is in it.
        end_seconds: where reading ends.

    Raises:
        AudioError: it is no sound, or lies about its length.
        OutputError: there is no room for the file meanwhile.
    """
    if not content:
        raise AudioError(f"{name} is empty")
    suffix = Path(name).suffix if is_sound(name) else ""
    try:
        with tempfile.NamedTemporaryFile(suffix=suffix) as file:
            file.write(content)
            file.flush()
            try:
                return read_sound(file.name, end_seconds=end_seconds)
            except AudioError as error:
                raise AudioError(str(error).replace(file.name, name)) from error
    except OSError as error:
        why = error.strerror or str(error)
        what = f"there is no room to read {name} ({why})"
        raise OutputError(f"{what}; free some where temporary files lie, and send it again") from error
