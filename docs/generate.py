"""Write the reference pages from the program itself; with --check, fail when they are stale."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from floors import draw

from sayso.audio import AudioFormat
from sayso.augment import AUGMENTATIONS
from sayso.cli import app
from sayso.config.schema import describe
from sayso.data.datasets import DATASETS
from sayso.data.splits import SplitSettings
from sayso.features import FEATURES
from sayso.models import MODELS
from sayso.recipe.recipe import Training

HERE = Path(__file__).parent
MADE = "Made by `make docs` from the program; do not edit.\n"


def commands() -> Iterator[str]:
    """Every command with its help."""
    yield f"# Commands\n\n{MADE}"
    yield from _command(typer.main.get_command(app), "sayso")


def _command(command: object, name: str) -> Iterator[str]:
    context = command.make_context(name, [], resilient_parsing=True)  # type: ignore[attr-defined]
    context.terminal_width = 80
    yield f"## {name}\n\n```\n{command.get_help(context).rstrip()}\n```\n"  # type: ignore[attr-defined]
    for sub, inner in getattr(command, "commands", {}).items():
        yield from _command(inner, f"{name} {sub}")


def parts() -> Iterator[str]:
    """Every part of a recipe with its keys."""
    yield f"# What a recipe is made of\n\n{MADE}"
    rooms = {
        "dataset": list(DATASETS),
        "split": [SplitSettings],
        "audio": [AudioFormat],
        "features": list(FEATURES),
        "model": list(MODELS),
        "augment": list(AUGMENTATIONS),
        "training": [Training],
    }
    for section, settings in rooms.items():
        yield f"## {section}\n"
        for part in settings:
            if kind := getattr(part, "kind", ""):
                yield f"### kind: {kind}\n"
            yield f"{_plain((part.__doc__ or '').splitlines()[0])}\n"
            yield "| key | default | meaning |\n|---|---|---|"
            for key, default, text in describe(part):
                yield f"| `{key}` | {f'`{default}`' if default else 'empty text'} | {_plain(text)} |"
            yield ""


def _plain(text: str) -> str:
    """Escape what Markdown would take for markup: `<word>` would vanish as a tag."""
    return re.sub(r"([\\*|])", r"\\\1", text).replace("<", "&lt;")


def main() -> int:
    """Write or check the pages."""
    stale = []
    pages = {"commands.md": commands, "parts.md": parts, "architecture.svg": lambda: [draw()]}
    for name, make in pages.items():
        text = "\n".join(make()).rstrip() + "\n"
        path = HERE / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print(f"stale: {', '.join(stale)}; run `make docs` and commit")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
