"""`sayso list`."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sayso.cli.console import say

if TYPE_CHECKING:
    from sayso.features import FeatureConfig

__all__ = ["list_parts"]


def list_parts(
    room: Annotated[
        Literal["all", "datasets", "features", "models", "augment", "detectors"],
        typer.Argument(help="Which kind of part."),
    ] = "all",
    keys: Annotated[bool, typer.Option("--keys", help="Show each part's keys with their help.")] = False,
) -> None:
    """List what recipes are made of, and what audits look for.

    `sayso list features` also counts what each costs.
    """
    from sayso.augment import AUGMENTATIONS
    from sayso.config.schema import describe
    from sayso.data.datasets import DATASETS
    from sayso.features import FEATURES, FeatureConfig
    from sayso.models import MODELS

    rooms = {"datasets": DATASETS, "features": FEATURES, "models": MODELS, "augment": AUGMENTATIONS}
    for name, registry in rooms.items():
        if room in ("all", name):
            say(f"{name}:")
            for part in registry:
                say(f"  {part.kind:<16} {(part.__doc__ or '').splitlines()[0]}")
                if room == "features" and issubclass(part, FeatureConfig):
                    _say_cost(part)
                for key, default, text in describe(part) if keys else ():
                    say(f"    {key:<26} {default:<14} {text}")
    if room in ("all", "detectors"):
        _list_detectors()


def _say_cost(part: "type[FeatureConfig]") -> None:
    from sayso.classifier.cost import measure_features

    if cost := measure_features(part):
        size = " x ".join(f"{count:,}" for count in cost.shape)
        counted = f"{cost.multiply_adds / 1e6:,.1f} million multiply-adds"
        say(f"  {'':<16} one second: {size} numbers; {counted} with {cost.network}")


def _list_detectors() -> None:
    from sayso.studies.audit.catalogue import list_detectors

    say("detectors:")
    for detector in list_detectors():
        say(f"  {detector.name:<16} {detector.title}")
