"""What `manifest.json` and the exported model say beside scores, against the recipe, the log and the weights."""

from collections.abc import Iterator, Mapping
from typing import Any

from sayso.classifier.checkpoint import kept_recipe
from sayso.classifier.module import Classifier
from sayso.config.schema import dump
from sayso.recipe.recipe import Recipe, kept_values_from_text
from sayso.runs.folder import RunFolder
from sayso.runs.log import read_log
from sayso.runs.sharing import without_names
from sayso.runtime import Recognizer
from sayso.studies.verification.differences import differences

__all__ = ["model_faults", "section_of", "training_faults"]


def section_of(manifest: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Give a section of the manifest; empty where it is not there, or is none."""
    section = manifest.get(key)
    return section if isinstance(section, Mapping) else {}


def training_faults(run: RunFolder, recipe: Recipe, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the manifest says otherwise of the training than recipe and log do.

    Raises:
        RunError: the log is damaged.
    """
    training = recipe.training
    anew: dict[str, Any] = {"seed": training.seed}
    if training.precision != "auto":
        anew["precision"] = training.precision
    if training.threads:
        anew["threads"] = training.threads
    if training.device != "auto":
        anew["device"] = {"gpu": "cuda"}.get(training.device, training.device)
    yield from differences(anew, {key: manifest.get(key) for key in anew}, tolerance=0)
    for key in ("export", "tuned"):
        if manifest.get(key) is not None and not isinstance(manifest[key], Mapping):
            yield f"{key} is {manifest[key]!r}, which says nothing"
    epochs, best = manifest.get("epochs"), manifest.get("best_epoch")
    logged = max((row.epoch for row in read_log(run.log)), default=0)
    if epochs != logged:
        yield f"epochs is {epochs}, {run.log.name} has {logged}"
    if not isinstance(best, int) or not 1 <= best <= logged or (training.keep == "last" and best != logged):
        yield f"best_epoch is {best}, of {logged} of which the {training.keep} counts"


def model_faults(
    recognizer: Recognizer, classifier: Classifier, run: RunFolder, manifest: Mapping[str, Any]
) -> Iterator[str]:
    """Yield what the exported model says of itself that the weights, or the files beside it, do not.

    Its thresholds for streams are those of `sayso tune` where that has written any.
    """
    anew = {
        "labels": list(classifier.labels),
        "audio": dump(classifier.audio),
        "temperature": classifier.temperature,
        "threshold": classifier.threshold,
        "credit": classifier.recipe.features.credit,
        "recipe": without_names(kept_values_from_text(kept_recipe(run.weights), source=str(run.weights))),
    }
    written = {
        "labels": list(recognizer.labels),
        "audio": dump(recognizer.audio),
        "temperature": recognizer.temperature,
        "threshold": recognizer.threshold,
        "credit": recognizer.credit or anew["credit"],
        "recipe": without_names(kept_values_from_text(recognizer.recipe, source=str(recognizer.path))),
    }
    stream, tuned = recognizer.stream, section_of(manifest, "tuned")
    if stream is not None and not tuned:
        anew["stream"], written["stream"] = dump(classifier.recipe.stream), dump(stream)
    yield from differences(anew, written, tolerance=0)
    if tuned:
        given = {} if stream is None else {word: stream.threshold_of(word) for word in recognizer.labels}
        yield from differences(tuned.get("thresholds"), given, tolerance=0, key="thresholds")
    beside = run.card.read_bytes() if run.card.is_file() else b""
    if recognizer.card and beside != recognizer.card.encode():
        yield f"its model card is not {run.card.name}"
