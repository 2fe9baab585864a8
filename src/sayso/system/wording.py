"""How numbers, lists and paths are put into words, the same in every message."""

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence

__all__ = ["clock", "counted", "in_shell", "listed", "path_ends", "path_tail", "percent", "rounded"]


def clock(seconds: float) -> str:
    """Write a place in a recording, in hours, minutes and seconds.

    >>> clock(3723.456)
    '1:02:03.46'
    """
    hundredths = round(100 * seconds)
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest / 100:05.2f}"


def counted(count: int, one: str, many: str = "") -> str:
    """Say how many there are of what, for a message; `many` is the wording for any count but 1, by default `one` + s.

    >>> counted(1, "epoch"), counted(0, "clip"), counted(1200, "clip is", "clips are")
    ('1 epoch', '0 clips', '1,200 clips are')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def in_shell(word: object) -> str:
    """Write a word of a command that a person is to paste, such as a path: in quotes where a shell needs them.

    >>> print("sayso train --resume", in_shell("runs/first"))
    sayso train --resume runs/first
    >>> print("sayso train --resume", in_shell("my runs/first"))
    sayso train --resume 'my runs/first'
    """
    return shlex.quote(str(word))


def listed(names: Sequence[str], most: int, *, between: str = ", ", count_rest: bool = False) -> str:
    """Join the first names, and show that there are more where that is so.

    Args:
        names: all of them, each as it is to be read.
        most: how many are shown.
        between: what stands between two names; "; " suits names that hold commas.
        count_rest: say how many more there are; False: the sentence has said how many there are in all.

    >>> listed(["anna", "ben"], 2), listed(["anna", "ben", "cleo"], 2)
    ('anna, ben', 'anna, ben, ...')
    >>> listed(["line 1: no path", "line 2: no label", "line 9: no label"], 1, between="; ", count_rest=True)
    'line 1: no path; and 2 more'
    """
    rest = len(names) - most
    more = [f"and {rest:,} more" if count_rest else "..."] if rest > 0 else []
    return between.join([*names[:most], *more])


def percent(share: float | None, *, digits: int = 1) -> str:
    """Write a share as a percentage with `digits` after the point; only 1 itself is 100 %, and only 0 itself is 0 %.

    None is a dash, where there is nothing to tell.

    >>> percent(0.98), percent(0.125, digits=0), percent(None)
    ('98.0 %', '12 %', '-')
    >>> percent(1), percent(0.9997), percent(0.004, digits=0)
    ('100.0 %', '> 99.9 %', '< 1 %')
    """
    if share is None:
        return "-"
    least = 10.0**-digits
    text = f"{100 * share:.{digits}f}"
    if share < 1 and text == f"{100:.{digits}f}":
        text = f"> {100 - least:.{digits}f}"
    elif share > 0 and text == f"{0:.{digits}f}":
        text = f"< {least:.{digits}f}"
    return f"{text} %"


def rounded(value: float) -> str:
    """Write a figure, 0 or more, with the two digits that matter, and never as a power of ten from 0.0001 on.

    >>> rounded(0.4567), rounded(7.0), rounded(1234.5), rounded(0.0)
    ('0.46', '7', '1,234', '0')
    """
    return f"{value:.2g}" if value < 99.5 else f"{value:,.0f}"


def path_tail(path: str, parts: int = 2) -> str:
    """Give the last parts of a path, which name a clip or a run and are the same on every machine.

    >>> path_tail("/data/yes/1.wav")
    'yes/1.wav'
    """
    return "/".join(path.replace("\\", "/").split("/")[-parts:])


def path_ends(paths: Iterable[str]) -> dict[str, str]:
    """Give the shortest end of each path, of two parts or more, that no other of them has.

    >>> list(path_ends(["/data/left/ben/3.wav", "/data/left/3.wav", "/data/right/ben/3.wav"]).values())
    ['left/3.wav', 'left/ben/3.wav', 'right/ben/3.wav']
    """
    ends: dict[str, str] = {}
    left = list(dict.fromkeys(paths))
    parts = 2
    while left:
        tails = {path: path_tail(path, parts) for path in left}
        counts = Counter(tails.values())
        # A path whose end is its whole has no longer one.
        ends |= {path: end for path, end in tails.items() if counts[end] == 1 or end == path_tail(path, parts + 1)}
        left = [path for path in left if path not in ends]
        parts += 1
    return ends
