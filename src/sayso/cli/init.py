"""`sayso init`."""

from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.console import Bars, say
from sayso.cli.options import Language, Overrides, Small, WordList, WordsFile, need_one, words_given
from sayso.system.wording import in_shell

__all__ = ["init"]


def init(
    source: Annotated[
        Path | None, typer.Argument(help="A folder of clips by word, or a manifest (CSV, JSONL).")
    ] = None,
    words: WordList = None,
    words_file: WordsFile = None,
    language: Language = None,
    small: Small = False,
    settings: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="The recipe to write; default: <folder>.yaml here.")] = None,
    whole: Annotated[bool, typer.Option("--all", help="Write every key, not only those that people change.")] = False,
) -> None:
    """Write a recipe for clips or words, explained, to edit."""
    need_one("a folder or manifest; --words; --words-file", source, words, words_file)
    from sayso.errors import RunError
    from sayso.recipe.defaults import Wishes
    from sayso.recipe.recipe import recipe_yaml
    from sayso.recipe.source import find_recipe, name_of
    from sayso.system.files import write_new_text

    spoken = words_given(words, words_file, language)
    wishes = Wishes(small=small, language=language)
    asked = spoken or source or ""
    path = out or Path(f"{name_of(asked)}.yaml")
    exists = f"{path}: exists, nothing was changed; choose another --out or remove it first"
    if path.exists():  # asked here too, as words are spoken next
        raise RunError(exists)
    _, recipe = find_recipe(asked, settings or (), wishes=wishes, progress=Bars())
    rest = "" if whole else "# All other keys: sayso init --all, sayso list --keys\n"
    written = recipe_yaml(recipe, comments=True, brief=not whole)
    if not write_new_text(path, f"# Train it: sayso train {in_shell(path)}\n{rest}{written}"):
        raise RunError(exists)
    say(f"wrote {path}; train it with: sayso train {in_shell(path)}")
