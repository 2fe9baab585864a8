"""Options that several commands have: `--set`, and those for words without recordings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sayso.recipe.words import Words

__all__ = [
    "DatasetSettings",
    "Language",
    "Overrides",
    "OverridesOfAll",
    "Small",
    "WordList",
    "WordsFile",
    "words_given",
]


def _set(text: str) -> Any:
    return typer.Option("--set", metavar="KEY=VALUE", help=f"{text}; may be repeated.")


Overrides = Annotated[list[str] | None, _set("Override a key")]
OverridesOfAll = Annotated[list[str] | None, _set("Override a key in all recipes")]
DatasetSettings = Annotated[list[str] | None, _set("A setting of the dataset")]

WordList = Annotated[
    str | None,
    typer.Option("--words", metavar="WORD,...", help="Words without recordings; LABEL=TEXT where they differ."),
]
WordsFile = Annotated[Path | None, typer.Option(help="A file of such words, one a line.")]
Language = Annotated[
    str, typer.Option(help="What synthetic voices speak: languages or accents of espeak-ng, parted by commas.")
]
Small = Annotated[bool, typer.Option("--small", help="Of clips without a recipe: train a small network from nothing.")]


def words_given(source: object, words: str | None, words_file: Path | None, language: str) -> "Words | None":
    """Read words that are given instead of a source; None where there are none.

    Raises:
        typer.BadParameter: not exactly one of source, words and file is given.
        SettingsError: the words cannot be used.
    """
    if sum(each is not None for each in (source, words, words_file)) != 1:
        raise typer.BadParameter("give one of these: a recipe, folder or manifest; --words; --words-file")
    if source is not None:
        return None
    from sayso.recipe.words import parse_words, read_words_file

    if words_file is not None:
        return read_words_file(words_file, language=language)
    return parse_words(words or "", language=language)
