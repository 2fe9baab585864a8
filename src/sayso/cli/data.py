"""`sayso data`: what recordings there are, fetching them, what is in them, and clearing the cache."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.console import Bars, confirm, say
from sayso.cli.options import DatasetSettings
from sayso.system.wording import counted

if TYPE_CHECKING:
    from sayso.data.clips import Clip, Listing
    from sayso.data.corpus import Corpus
    from sayso.data.datasets import DatasetConfig

app = typer.Typer(no_args_is_help=True, help="Recordings: list, fetch, look into, clear.")

SHOWN_SPEAKERS = 30
PARTS = ("train", "validation", "test")

Source = Annotated[str, typer.Argument(metavar="KIND|PATH", help="A dataset's kind, or a folder or manifest of clips.")]


@app.command("list")
def list_datasets() -> None:
    """List kinds of datasets, where they lie, and what is packed."""
    from sayso.data.corpus import list_packed
    from sayso.data.datasets import DATASETS

    rows = [(part.kind, _place(part), (part.__doc__ or "").strip().partition("\n")[0]) for part in DATASETS]
    for line in _table(rows):
        say(line)
    corpora = [
        (counted(index["clips"], "clip"), f"{index['audio']['sample_rate']:,} Hz", _size(size), str(index["folder"]))
        for _, index, size in list_packed()
    ]
    say()
    say("packed corpora:" if corpora else "no packed corpora")
    for line in _table(corpora):
        say(f"  {line}")


@app.command()
def get(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="The dataset to fetch or make.")],
    settings: DatasetSettings = None,
) -> None:
    """Fetch or make a dataset and say what is there."""
    from sayso.data.datasets import find_dataset
    from sayso.data.recordings import summarise

    dataset = find_dataset(kind, settings or ())
    listing = dataset.kept_listing(Bars())
    say(f"{dataset.kind}: {summarise(listing.clips)}")
    say(f"in {dataset.location()}")
    for note in listing.notes:
        say(f"note: {note}")


@app.command()
def info(
    source: Source,
    settings: DatasetSettings = None,
    decode: Annotated[
        bool, typer.Option(help="Decode and pack every file, and list those that cannot be used.")
    ] = False,
) -> None:
    """Count clips by word, by speaker and by part."""
    from sayso.data.datasets import find_dataset
    from sayso.data.recordings import summarise

    dataset = find_dataset(source, settings or ())
    listing = dataset.kept_listing(Bars())
    content = _pack(dataset, listing) if decode else listing
    say(f"{dataset.kind}: {summarise(content.clips)}")
    say(f"in {dataset.location()}")
    say()
    for line in _table(_word_rows(content.clips)):
        say(line)
    say()
    for line in _speaker_lines(content.clips):
        say(line)
    if listing.noise:
        say(f"noise: {counted(len(listing.noise), 'recording')}")
    for note in content.notes:
        say(f"note: {note}")
    for _, why in getattr(content, "skipped", ()):
        say(f"skipped: {why}")


@app.command()
def clear(
    downloads: Annotated[
        bool, typer.Option("--downloads", help="Also remove downloaded recordings and synthetic voices.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove packed corpora from the cache.

    They are packed anew when needed.
    """
    from sayso.data.corpus import clear_packed
    from sayso.system.download import clear_downloads
    from sayso.system.files import cache_folder

    what = "packed corpora, downloads and synthetic voices" if downloads else "packed corpora"
    if not (yes or confirm(f"remove all {what} in {cache_folder()}?")):
        raise typer.Exit(1)
    freed = clear_packed() + (clear_downloads() if downloads else 0)
    say(f"{_size(freed)} freed in {cache_folder()}")


def _pack(dataset: "DatasetConfig", listing: "Listing") -> "Corpus":
    from sayso.audio import AudioFormat
    from sayso.data.corpus import pack

    return pack(listing, AudioFormat(), progress=Bars(), max_bad_share=dataset.max_bad_share)


def _place(part: "type[DatasetConfig]") -> str:
    from sayso.errors import SettingsError

    try:
        return str(part().location() or "not here yet")
    except (TypeError, SettingsError):
        # A kind that cannot be made without settings has no place of its own.
        return "wherever you say"


def _word_rows(clips: "tuple[Clip, ...]") -> Iterator[tuple[str, ...]]:
    counts = Counter((clip.label, clip.part) for clip in clips)
    parts = [part for part in PARTS if any(split == part for _, split in counts)]
    yield ("word", "clips", *parts)
    for word, total in sorted(Counter(clip.label for clip in clips).items()):
        yield (word, f"{total:,}", *(f"{counts[word, part]:,}" for part in parts))


def _speaker_lines(clips: "tuple[Clip, ...]") -> Iterator[str]:
    counts: Mapping[str, int] = Counter(clip.speaker for clip in clips if clip.speaker)
    if not counts:
        return
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    yield from _table([("speaker", "clips"), *((name, f"{count:,}") for name, count in ranked[:SHOWN_SPEAKERS])])
    if len(ranked) > SHOWN_SPEAKERS:
        rest = ranked[SHOWN_SPEAKERS:]
        yield f"and {len(rest):,} more, {rest[-1][1]:,} to {rest[0][1]:,} clips each"


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Lay out rows in columns; what looks like a number stands to the right."""
    filled = list(rows)
    widths = [max(map(len, column)) for column in zip(*filled, strict=True)]
    for row in filled:
        cells = [
            cell.rjust(width) if cell[:1].isdigit() and index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _size(size: int) -> str:
    """Give a number of bytes as people say it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
