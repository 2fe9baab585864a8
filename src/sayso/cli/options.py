"""The option `--set`, which six commands have."""

from typing import Annotated, Any

import typer

__all__ = ["DatasetSettings", "Overrides", "OverridesOfAll"]


def _set(text: str) -> Any:
    return typer.Option("--set", metavar="KEY=VALUE", help=f"{text}; may be repeated.")


Overrides = Annotated[list[str] | None, _set("Override a key")]
OverridesOfAll = Annotated[list[str] | None, _set("Override a key in all recipes")]
DatasetSettings = Annotated[list[str] | None, _set("A setting of the dataset")]
