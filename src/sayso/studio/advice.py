"""What the folder of recordings says beside a training's own advice: what is wrong with its clips as they are now."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.studio.takes import MANIFEST, Take
from sayso.system.files import read_json
from sayso.system.wording import counted

__all__ = ["Measured", "advice_of", "find_measured"]

_MUCH_FAULTY = 0.1
_OLD = "Train once more: an earlier Sayso trained this, and left no advice with it."
_MEASURED = "The first is measured on these recordings; the others are told from counts and from this test."


@dataclass(frozen=True)
class Measured:
    """What a learning curve of the recordings says."""

    told: str
    """A sentence without a capital and a full stop."""
    helps: bool
    """It names what would help most; else it says that this cannot be told."""


def find_measured(beside: Path, folder: Path) -> Measured | None:
    """What the newest learning curve of these recordings says would help most; None: none was drawn.

    Args:
        beside: where `sayso learning-curve` leaves its folders.
        folder: of the recordings.
    """
    own, found = {str(folder.resolve()), str(folder.resolve() / MANIFEST)}, list[tuple[float, Measured]]()
    for file in beside.glob("learning-curve*/learning-curve.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            table = read_json(file)
            if table["source"] in own:
                most = table["most"]
                found.append((file.stat().st_mtime, Measured(str(most["told"]), most["helps"] is not None)))
    return max(found, key=lambda each: each[0])[1] if found else None


def advice_of(
    manifest: Mapping[str, Any], takes: Sequence[Take], *, measured: Measured | None = None
) -> dict[str, Any]:
    """Give `advice`, sentences of which the first helps most, and `advice_basis`, what they rest on.

    Args:
        manifest: of the run; its advice is the one that its report and the terminal give.
        takes: the clips that are there now, whose remarks no training knows.
        measured: what a learning curve says; None: there is none.
    """
    told = manifest.get("advice") or {"most": [_OLD], "basis": ""}
    faulty = sum(bool(take.take.get("remarks")) for take in takes)
    anew = f"Recording {counted(faulty, 'clip')} anew that were quiet, cut off or the like: Record shows them."
    more = [anew] if faulty > max(1, _MUCH_FAULTY * len(takes)) else []
    if measured is None:
        return {"advice": [*told["most"], *more], "advice_basis": told["basis"]}
    sentence = f"{measured.told[:1].upper()}{measured.told[1:]} (measured by sayso learning-curve)."
    if not measured.helps:
        return {"advice": [*told["most"], *more], "advice_basis": sentence}
    return {"advice": [sentence, *told["most"], *more], "advice_basis": _MEASURED}
