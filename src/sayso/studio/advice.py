"""What the folder of recordings says beside a training's own advice: what is wrong with its clips as they are now."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sayso.studio.takes import MANIFEST, Take
from sayso.system.files import read_json
from sayso.system.wording import counted

__all__ = ["advice_of", "find_measured"]

_MUCH_FAULTY = 0.1
_OLD = "Train once more: an earlier Sayso trained this, and left no advice with it."
_MEASURED = "The first is measured on these recordings; the others are told from counts and from this test."


def find_measured(beside: Path, folder: Path) -> str:
    """What the newest learning curve of these recordings says would help most; empty: none was drawn.

    Args:
        beside: where `sayso learning-curve` leaves its folders.
        folder: of the recordings.
    """
    own, found = {str(folder.resolve()), str(folder.resolve() / MANIFEST)}, list[tuple[float, str]]()
    for file in beside.glob("learning-curve*/learning-curve.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            table = read_json(file)
            if table["source"] in own:
                found.append((file.stat().st_mtime, str(table["most"])))
    return max(found)[1] if found else ""


def advice_of(manifest: Mapping[str, Any], takes: Sequence[Take], *, measured: str = "") -> dict[str, Any]:
    """Give `advice`, sentences of which the first helps most, and `advice_basis`, what they rest on.

    Args:
        manifest: of the run; its advice is the one that its report and the terminal give.
        takes: the clips that are there now, whose remarks no training knows.
        measured: what a learning curve says; empty: there is none.
    """
    told = manifest.get("advice") or {"most": [_OLD], "basis": ""}
    faulty = sum(bool(take.take.get("remarks")) for take in takes)
    anew = f"Recording {counted(faulty, 'clip')} anew that were quiet, cut off or the like: Record shows them."
    more = [anew] if faulty > max(1, _MUCH_FAULTY * len(takes)) else []
    if not measured:
        return {"advice": [*told["most"], *more], "advice_basis": told["basis"]}
    first = f"{measured[:1].upper()}{measured[1:]} (measured by sayso learning-curve)."
    return {"advice": [first, *told["most"], *more], "advice_basis": _MEASURED}
