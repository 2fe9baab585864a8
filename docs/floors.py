"""The picture of the floors, drawn from the layers in pyproject.toml, so that it cannot tell of another house."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

__all__ = ["draw", "floors"]

ROOT = Path(__file__).parent.parent
_WIDTH, _MARGIN, _GAP = 960, 16, 10
_HEIGHT, _STEP = 58, 70
_SIDE = 92  # for the arrow that says which way imports go
# What a box says below its name, and where the way of a recording passes; `architecture.md` tells the way in words.
_ROOMS: Mapping[str, tuple[str, str]] = {
    "cli": ("commands, a file each", ""),
    "studio": ("a page to record, train, see", ""),
    "serve": ("models as services", ""),
    "delivery": ("a model made ready for other places", ""),
    "studies": ("questions about many runs, or a corpus", ""),
    "experiment": ("recipe in, run folder out", ""),
    "training": ("fit, resume, schedules", "5"),
    "evaluation": ("model and clips to scores", "6"),
    "views": ("plots, figures, html, report", "8"),
    "classifier": ("module, checkpoint, inference, export", "9"),
    "recipe": ("settings, source, prepared clips", "3"),
    "features": ("representations, a file each", "4"),
    "models": ("networks, a file each", "4"),
    "augment": ("changes to clips, a file each", "4"),
    "runs": ("all that lies in a run's folder", "7"),
    "web": ("the browser's side of a model", ""),
    "http": ("what servers have in common", ""),
    "data": ("clips, corpus, splits, leakage", "2"),
    "dsp": ("transforms", ""),
    "runtime": ("answers without torch", "10"),
    "metrics": ("numbers only", ""),
    "audio": ("the only reader of sound", "1"),
    "config": ("settings, parts by name", ""),
    "system": ("files, downloads, processes", ""),
    "errors": ("what a person can meet", ""),
}
_STYLE = (
    "text{font-family:system-ui,sans-serif;fill:#1f2430}.n{font-weight:600;font-size:15px}.j{font-size:12px}"
    ".b{fill:#eef3f8;stroke:#667080}.w{fill:#0072b2}.c{fill:#fff;font-size:12px;font-weight:600}"
    ".a{stroke:#667080;stroke-width:1.5;fill:none}.t{fill:#667080;font-size:12px}"
)


def floors() -> list[list[str]]:
    """The floors from the top, each with what stands on it, as the check of imports has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in layers]


def draw() -> str:
    """The picture as SVG."""
    house = floors()
    height = 2 * _MARGIN + _STEP * len(house) - (_STEP - _HEIGHT)
    arrow = f"M{_MARGIN + 30},{_MARGIN} V{height - _MARGIN - 8}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        'aria-label="The floors of Sayso, from the program at the top to the errors at the bottom; imports go down. '
        'Numbers show the way of a recording.">',
        f"<style>{_STYLE}</style>",
        '<marker id="d" markerWidth="8" markerHeight="8" refX="4" refY="4" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#667080"/></marker>',
        f'<path class="a" d="{arrow}" marker-end="url(#d)"/>',
        f'<text class="t" x="0" y="0" transform="translate({_MARGIN + 20},{height / 2 + 40}) rotate(-90)">'
        "imports go down</text>",
    ]
    for place, floor in enumerate(house):
        lines += _floor(floor, _MARGIN + place * _STEP)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _floor(names: Sequence[str], top: int) -> Iterator[str]:
    width = (_WIDTH - _SIDE - _MARGIN - _GAP * (len(names) - 1)) / len(names)
    for place, name in enumerate(names):
        left = _SIDE + place * (width + _GAP)
        job, step = _ROOMS[name]
        yield f'<rect class="b" x="{left:.0f}" y="{top}" width="{width:.0f}" height="{_HEIGHT}" rx="6"/>'
        yield f'<text class="n" x="{left + 12:.0f}" y="{top + 24}">{name}</text>'
        yield f'<text class="j" x="{left + 12:.0f}" y="{top + 44}">{job}</text>'
        if step:
            centre = left + width - 18
            yield f'<circle class="w" cx="{centre:.0f}" cy="{top + 18}" r="11"/>'
            yield f'<text class="c" x="{centre:.0f}" y="{top + 22}" text-anchor="middle">{step}</text>'
