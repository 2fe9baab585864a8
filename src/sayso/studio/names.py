"""Names of words and people as they are typed, and the names of their folders, which any file system takes."""

import re
import unicodedata
from collections.abc import Iterable
from hashlib import sha256

from sayso.data.datasets.folder.found import NONE_FOLDER
from sayso.errors import Fault, SettingsError
from sayso.system.files import folder_name

__all__ = ["free_folder_name", "read_name"]

_LONGEST = 100
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
# A folder of such a name would be a part of a data set, noise, or a version of other recordings; see data/datasets.
_TAKEN = re.compile(
    r"(train(ing)?|test(ing)?|val(id(ation)?)?|dev|eval(uation)?)(set|data|split|part|clips|audio|files|samples)?"
    r"|backgroundnoise|orig(inals?)?|raw|clean|loud|quiet|soft|nois[ey]|aug(mented|mentations?)?|processed|normali[sz]ed"
    r"|trainingonly|noneofthese|denoised|trimmed|copy|copies|resampled|converted|wavs?|mp3|flac|audio|clips|samples|recordings|sounds|files|data"
)
_LONGEST_FOLDER_BYTES = 80
# What a manifest takes for nothing.
_NOTHING = frozenset(("nan", "<na>", "none", "null", NONE_FOLDER))


def read_name(text: str, *, what: str) -> str:
    """Give a name as it was typed, spaces around it taken off.

    Args:
        text: what was typed.
        what: it names, such as "word", for the message.

    Raises:
        SettingsError: it is empty, too long, or holds what nobody can type or read.

    >>> read_name(" lights  on ", what="word")
    'lights on'
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise SettingsError([Fault("", f"a {what} is empty; type at least one letter")])
    if len(name) > _LONGEST:
        raise SettingsError([Fault("", f"a {what} of {len(name)} letters is too long; {_LONGEST} are the most")])
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Cn", "Co") for sign in name):
        raise SettingsError([Fault("", f"a {what} holds signs that cannot be written; type it anew")])
    if name.casefold() in _NOTHING:
        raise SettingsError([Fault("", f"'{name}' cannot be a {what}, as tables write that for nothing")])
    return name


def free_folder_name(name: str, taken: Iterable[str], *, what: str) -> str:
    """Give a folder's name for a word or a person, unlike those that are taken, letter case aside.

    Args:
        name: as `read_name` gives it.
        taken: names of folders that others have.
        what: "word" or "speaker".

    >>> free_folder_name("on/off", [], what="word"), free_folder_name("On_off", ["on_off"], what="word")
    ('on_off', 'On_off-2')
    >>> free_folder_name("..", [], what="word"), free_folder_name("test", [], what="speaker")
    ('word-__', 'speaker-test')
    """
    folder = folder_name(name)
    if folder.startswith("~"):
        folder = f"_{folder[1:]}"
    if folder.endswith("."):
        folder = f"{folder[:-1]}_"
    if len(folder.encode()) > _LONGEST_FOLDER_BYTES:
        mark = sha256(folder.encode()).hexdigest()[:8]
        folder = f"{folder.encode()[: _LONGEST_FOLDER_BYTES - 9].decode(errors='ignore')}-{mark}"
    plain = "".join(sign for sign in folder.casefold() if sign.isalnum())
    if not plain or _RESERVED.fullmatch(folder) or _TAKEN.fullmatch(plain):
        folder = f"{what}-{folder}"
    others = {unicodedata.normalize("NFC", other).casefold() for other in taken}
    free, number = folder, 2
    while free.casefold() in others:
        free, number = f"{folder}-{number}", number + 1
    return free
