"""Every error that a person can meet.

::

    SaysoError
    ├── SettingsError    a recipe, an option or a call with values that do not fit; holds every fault at once
    ├── DataError        clips, folders and manifests
    │   ├── AudioError       one sound file that cannot be used
    │   └── DownloadError    an archive that cannot be fetched or does not check out
    ├── DeviceError      a microphone that is missing, or has not what is asked of it
    ├── ModelError       a model file or checkpoint that cannot be read, or does not agree with its export
    ├── RunError         a run folder that is missing, taken, unfinished or of another recipe
    │   └── LostProcessError  one of several processes that train together has ended
    ├── OutputError      a place that cannot be written: full, read-only, forbidden
    ├── MissingExtraError  an optional part of Sayso that is not installed
    └── InterruptedRunError  Ctrl-C while training; what is done so far is kept

A message says in one line what is wrong, where, what the limit is, and how to mend it. The program prints it and
ends with exit code 2; no traceback.
"""

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import distribution
from urllib.parse import urlsplit
from urllib.request import url2pathname

__all__ = [
    "AudioError",
    "DataError",
    "DeviceError",
    "DownloadError",
    "Fault",
    "InterruptedRunError",
    "LostProcessError",
    "MissingExtraError",
    "ModelError",
    "OutputError",
    "RunError",
    "SaysoError",
    "SettingsError",
    "SoundWarning",
    "in_one_line",
    "install_command",
]


def in_one_line(text: str) -> str:
    r"""Spell as escapes what no terminal shows as a sign of one line, and what is no text at all.

    >>> print(in_one_line("two\nlines.wav"))
    two\nlines.wav
    """
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(sign: str) -> str:
    return sign if sign.isprintable() else sign.encode("unicode_escape").decode()


class SaysoError(Exception):
    r"""Base of every error meant for a person; `exit_code` is what the program ends with.

    Its message is one line that any terminal shows: what a damaged file put into it is spelt as escapes.

    >>> print(ModelError("a.onnx: format_version 1\n2"))
    a.onnx: format_version 1\n2
    """

    exit_code = 2

    def __str__(self) -> str:
        return in_one_line(super().__str__())


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a value: the key it stands under (dotted, may be empty) and what is wrong with it."""

    key: str
    message: str

    def under(self, parent: str) -> "Fault":
        """Give the same fault as seen from the section `parent`."""
        return Fault(".".join(part for part in (parent, self.key) if part), self.message)

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


class SettingsError(SaysoError):
    """Settings that do not fit, all faults at once.

    >>> str(SettingsError([Fault("features.n_melz", "unknown key"), Fault("training.epochs", "must be >= 1")]))
    'features.n_melz: unknown key; training.epochs: must be >= 1'
    """

    def __init__(self, faults: Iterable[Fault], *, source: str = "") -> None:
        self.faults = tuple(faults)
        self.source = source
        prefix = f"{source}: " if source else ""
        super().__init__(prefix + "; ".join(str(fault) for fault in self.faults))


class DataError(SaysoError):
    """Clips, folders or manifests that cannot be used as they are."""


class AudioError(DataError):
    """One sound file that cannot be used."""


class SoundWarning(UserWarning):
    """One sound that was changed before it could be answered on, such as clipped."""


class DownloadError(DataError):
    """An archive that cannot be fetched, or is not what it should be."""


class DeviceError(SaysoError):
    """A microphone that is missing, or has not what is asked of it."""


class ModelError(SaysoError):
    """A model file that cannot be read, or an export that does not agree with its model."""


class RunError(SaysoError):
    """A run folder that is missing, taken, unfinished, or belongs to another recipe."""


class LostProcessError(RunError):
    """One of several processes that train together has ended."""


class OutputError(SaysoError):
    """A file or folder that cannot be written."""


class MissingExtraError(SaysoError):
    """An optional part that is not installed; the message ends with the command that installs it.

    >>> str(MissingExtraError("synthetic voices", extra="voices"))  # doctest: +ELLIPSIS
    "synthetic voices need an extra that is not installed: pip install ...[voices]'"
    """

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(f"{what} need an extra that is not installed: {install_command(extra)}")


def install_command(extra: str) -> str:
    """Give the command that adds an extra to this Sayso, from where it was installed itself.

    That is a checkout, an archive or a repository where the installer wrote one down (`direct_url.json`,
    https://peps.python.org/pep-0610/), else the package registry.
    """
    origin = json.loads(distribution("sayso").read_text("direct_url.json") or "{}")
    url = str(origin.get("url", ""))
    if "dir_info" in origin:
        folder = url2pathname(urlsplit(url).path)
        option = "--editable " if origin["dir_info"].get("editable") else ""
        return f"pip install {option}{shlex.quote(f'{folder}[{extra}]')}"
    if "vcs_info" in origin:
        url = f"{origin['vcs_info']['vcs']}+{url}@{origin['vcs_info']['commit_id']}"
    return f"pip install {shlex.quote(f'sayso[{extra}] @ {url}' if url else f'sayso[{extra}]')}"


class InterruptedRunError(SaysoError):
    """Training was stopped by a person; the message says what was kept and how to go on."""

    exit_code = 130
