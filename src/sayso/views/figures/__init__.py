"""What there is to see in a clip, a representation, a data set, a run: computed here, drawn by `plots`.

One file a subject; each has one function that gives figures by name.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sayso.views.plots.style import Figure

__all__ = ["Pictures", "save_pictures"]

Pictures = Mapping[str, "Figure"]
"""Figures by name; names are words joined by underscores."""


def save_pictures(
    pictures: Pictures, folder: Path, *, subject: str, suffix: Literal["svg", "png"] = "svg"
) -> list[Path]:
    """Write each as `<folder>/<subject>-<name>.<suffix>`, replacing what has that name.

    Returns:
        The files, in the order of the pictures.

    Raises:
        OutputError: the folder cannot be written.
    """
    from sayso.views.plots.style import save

    paths = [folder / f"{subject}-{name.replace('_', '-')}.{suffix}" for name in pictures]
    for path, figure in zip(paths, pictures.values(), strict=True):
        save(figure, path)
    return paths
