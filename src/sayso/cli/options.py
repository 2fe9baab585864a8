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
    "need_one",
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
    str | None,
    typer.Option(help="What synthetic voices speak, by default en: languages or accents of espeak-ng, by commas."),
]
Small = Annotated[bool, typer.Option("--small", help="Of clips without a recipe: train a small network from nothing.")]


def need_one(of: str, *given: object) -> None:
    """Raise typer.BadParameter unless exactly one of these options is given; `of` names them."""
    if sum(each is not None for each in given) != 1:
        raise typer.BadParameter(f"give one of these: {of}")


def words_given(words: str | None, words_file: Path | None, language: str | None) -> "Words | None":
    """Read the words of `--words` or `--words-file`; None where neither is given.

    Raises:
        SettingsError: the words cannot be used.
    """
    from sayso.recipe.words import parse_words, read_words_file

    spoken = "en" if language is None else language
    if words_file is not None:
        return read_words_file(words_file, language=spoken)
    return None if words is None else parse_words(words, language=spoken)
