"""How numbers, lists and paths are put into words, the same in every message."""

__all__ = ["counted", "path_tail"]


def counted(count: int, one: str, many: str = "") -> str:
    """Say how many there are of what, for a message; `many` is the wording for any count but 1, by default `one` + s.

    >>> counted(1, "epoch"), counted(0, "clip"), counted(1200, "clip is", "clips are")
    ('1 epoch', '0 clips', '1,200 clips are')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def path_tail(path: str, parts: int = 2) -> str:
    """The last parts of a path, which tell a person which clip or run it is and are the same on every machine.

    >>> path_tail("/data/yes/1.wav")
    'yes/1.wav'
    """
    return "/".join(path.replace("\\", "/").split("/")[-parts:])
