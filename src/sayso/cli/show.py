"""`sayso show`: pictures of a clip, a representation, a data set, a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sayso.cli.console import Bars, say

if TYPE_CHECKING:
    from sayso.views.figures import Pictures

__all__ = ["app"]

app = typer.Typer(
    help="Draw a clip, a representation, a data set or a run.", no_args_is_help=True, rich_markup_mode=None
)

Out = Annotated[Path, typer.Option(help="Folder for the pictures.")]
Format = Annotated[Literal["svg", "png"], typer.Option("--format", help="Kind of file.")]
PICTURES = Path("pictures")


@app.command()
def clip(
    file: Annotated[Path, typer.Argument(help="A sound file.")],
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="VIEW", help="One view on a sheet of its own: waveform, zoom, dft, spectrogram, mel, ..."),
    ] = None,
    power: Annotated[
        float | None, typer.Option(help="Show this power of the spectrogram's magnitude instead of decibels.")
    ] = None,
    out: Out = PICTURES,
    suffix: Format = "svg",
) -> None:
    """Draw a clip in every way there is to see it.

    The wave, 200 samples of it, its Fourier transform, and every representation.
    """
    from sayso.views.figures.clip import draw_clip

    _save(draw_clip(file, only=only or (), power=power), out, _subject(file), suffix)


@app.command()
def features(
    source: Annotated[str, typer.Argument(metavar="RECIPE|KIND", help="A recipe, or the kind of a representation.")],
    sound: Annotated[
        Path | None, typer.Option("--clip", help="A sound file to represent; default: a made-up vowel.")
    ] = None,
    out: Out = PICTURES,
    suffix: Format = "svg",
) -> None:
    """Draw a representation.

    Its filters, one window through them, and what it makes of a sound.
    """
    from sayso.recipe.recipe import is_recipe_file
    from sayso.views.figures.parts import draw_features

    subject = _subject(Path(source)) if is_recipe_file(source) else source
    _save(draw_features(source, clip=sound), out, subject, suffix)


@app.command()
def dataset(
    source: Annotated[
        Path, typer.Argument(metavar="RECIPE|FOLDER", help="A recipe, a folder of clips by word, or a manifest.")
    ],
    speaker: Annotated[str | None, typer.Option(help="Fill the grid with clips of this speaker.")] = None,
    rows: Annotated[int, typer.Option(min=1, max=50, help="Rows of the grid of spectrograms.")] = 4,
    out: Out = PICTURES,
    suffix: Format = "svg",
) -> None:
    """Draw a data set.

    Clips by word and by speaker, their lengths, and a grid of spectrograms.
    """
    from sayso.views.figures.data import draw_dataset

    pictures = draw_dataset(source, speaker=speaker, rows=rows, progress=Bars())
    _save(pictures, out, _subject(source), suffix)


@app.command()
def run(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    other: Annotated[Path | None, typer.Argument(metavar="RUN", help="Another, to stand beside it.")] = None,
    out: Out = PICTURES,
    suffix: Format = "svg",
) -> None:
    """Draw a run, or two side by side.

    Curves, mix-ups, flows, and speakers.
    """
    from sayso.views.figures.run import draw_run

    names = [one.resolve().name for one in (path, other) if one is not None]
    _save(draw_run(path, other), out, "-and-".join(names), suffix)


def _subject(path: Path) -> str:
    """Name what lies at a path by its folder too: pictures of two `quick.yaml`, or of two `1.wav`, stay apart."""
    folder = path.resolve() if path.is_dir() else path.parent.resolve()
    names = (folder.parent.name, folder.name) if path.is_dir() else (folder.name, path.stem)
    return "-".join(name for name in names if name)


def _save(pictures: "Pictures", out: Path, subject: str, suffix: Literal["svg", "png"]) -> None:
    from sayso.views.figures import save_pictures

    for path in save_pictures(pictures, out, subject=subject, suffix=suffix):
        say(str(path))
