"""`metrics.json`: what a run scored. What made it, and how its training went, is in `manifest.json`."""

from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

from sayso.runs.facts import read_facts
from sayso.system.files import write_json

__all__ = ["Metrics", "read_metrics", "write_metrics"]


class Metrics(TypedDict):
    """What `metrics.json` holds."""

    test: dict[str, Any]
    """As `sayso.metrics.scores.score` gives it."""
    train: NotRequired[dict[str, Any]]
    """Sums alone: these clips were trained on."""
    validation: NotRequired[dict[str, Any]]
    """Sums alone: the epoch was chosen by these clips. Not there without such clips."""
    calibration: dict[str, Any]
    """The temperature, and what it did for the test part."""
    rejection: NotRequired[dict[str, Any]]
    """How well unknown words are told from known ones, where the recipe names some."""
    parameters: int
    """How many numbers training adjusted."""
    labels: list[str]
    """The words, in the order of the model's logits."""


class _Parts(TypedDict):
    test: dict[str, Any]


class _Sums(TypedDict):
    """What must be so of a part's scores for them to be shown."""

    accuracy: float
    accuracy_ci95: NotRequired[list[float]]
    errors: NotRequired[int]
    loss: NotRequired[float]
    ece: NotRequired[float]


class _SumsAlone(_Sums):
    n: NotRequired[int]


class _Confusion(TypedDict):
    labels: list[str]
    counts: list[list[int]]


class _Scores(_Sums):
    n: int
    speakers: NotRequired[int]
    speaker_accuracy_ci95: NotRequired[list[float] | None]
    worst_speaker: NotRequired[str | None]
    per_class: NotRequired[dict[str, dict[str, float | None]]]
    per_speaker: NotRequired[dict[str, dict[str, Any]]]
    confusion: NotRequired[_Confusion]
    reliability: NotRequired[list[dict[str, float]]]


class _Kept(Metrics):
    """As it must be read."""

    test: _Scores  # pyright: ignore[reportIncompatibleVariableOverride]
    train: NotRequired[_SumsAlone]  # pyright: ignore[reportIncompatibleVariableOverride]
    validation: NotRequired[_SumsAlone]  # pyright: ignore[reportIncompatibleVariableOverride]


def write_metrics(path: Path, metrics: Metrics) -> None:
    """Write the file, atomically.

    Raises:
        OutputError: it cannot be written there.
    """
    write_json(path, metrics)


def read_metrics(path: Path, *, strictly: bool = True) -> Metrics:
    """Read the file; of an earlier Sayso it may lack what is said here, and hold what the manifest says now.

    Args:
        path: the file.
        strictly: refuse values that no run leaves; False: take them, as each is to be told by itself.

    Raises:
        RunError: the run has not finished, or the file is damaged.
    """
    return cast(Metrics, read_facts(path, _Kept if strictly else _Parts, needed=("test",)))
