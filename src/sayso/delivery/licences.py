"""`LICENSES/`: the texts that go with whatever is delivered, and a line for each thing that they are for."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sayso.runs.model_card import VOICES_LICENCE, sources_of

__all__ = ["LICENCES", "write_licences"]

LICENCES = "LICENSES"
"""The folder's name."""


def write_licences(
    folder: Path, texts: Mapping[str, Path], parts: Sequence[str], *, recipe: Mapping[str, Any], credit: str
) -> None:
    """Write the texts of licences, and `README.txt`, which says what each is for.

    Args:
        folder: where the delivery lies; the texts go into `LICENSES` below it.
        texts: files by their names there, `Apache-2.0.txt` among them.
        parts: of the delivery beside the model, a sentence each that names its text.
        recipe: plain values of the model's recipe, as far as they are known.
        credit: whose pretrained weights are in the model; empty where there are none.
    """
    place = folder / LICENCES
    place.mkdir(parents=True, exist_ok=True)
    for name, path in texts.items():
        shutil.copyfile(path, place / name)
    lines = [*parts]
    if credit:
        lines.append(
            f"In the model, modified (joined with other layers, and what follows it trained): {credit}; Apache-2.0.txt."
        )
    sources = sources_of(recipe)
    lines += [f"The model was trained, for {what}, on: {source}. No clip of it is in here." for what, source in sources]
    if any("espeak" in source for _, source in sources):
        lines.append(f"Of synthetic voices: {VOICES_LICENCE}")
    lines.append("What else is in the model is yours, as its recordings allow.")
    (place / "README.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
