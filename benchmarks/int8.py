"""A model in int8 beside the same in float: one clip, one thread; the whole file, and its networks alone.

On another kind of processor than this one only another machine tells; the name of this one is among the notes.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.clips import words
from benchmarks.contest import Contest, Figure
from sayso.audio import to_float
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.delivery.int8_measures import Speed, measure_speed
from sayso.delivery.quantisation import quantise, weight_bytes
from sayso.recipe.recipe import Recipe, read_recipe

RECIPES = {"log-mel": "speech-commands/quick.yaml", "pretrained": "speech-commands/pretrained.yaml"}
ROOT = Path(__file__).parents[1] / "recipes"
CLIPS = 100
FORMS = ("float", "int8")


def contest(*, full: bool) -> Contest:
    """Set the contest up: networks of random weights, on words; what they answer does not change how long it takes."""
    heard = to_float((32_768 * words(4 * CLIPS if full else CLIPS)).astype(np.int16))
    folder = tempfile.TemporaryDirectory(prefix="sayso-bench-")
    made = {name: _Made(read_recipe(ROOT / path), heard, Path(folder.name) / name) for name, path in RECIPES.items()}
    figures: list[Figure] = []
    for name, model in made.items():
        figures += [
            Figure(f"{name}: its networks, times as fast", _ratio(f"{name}, networks"), least=1.5),
            Figure(f"{name}: the file, times as fast", _ratio(f"{name}, file"), least=1.0),
            Figure(f"{name}: share of its networks' bytes", lambda _, model=model: model.share, most=0.3),
        ]
    return Contest(
        title="one clip answered in int8 and in float, one thread",
        sides={
            f"{name}, {part} in {form}": model.side(part, form)
            for name, model in made.items()
            for part in ("file", "networks")
            for form in FORMS
        },
        unit="ms",
        figures=tuple(figures),
        notes=(next(iter(made.values())).speed.processor, *(f"{name}: {model.sizes}" for name, model in made.items())),
        close=(folder.cleanup,),
    )


class _Made:
    """One model in both forms; they take their turns together, once a round."""

    def __init__(self, recipe: Recipe, heard: np.ndarray, folder: Path) -> None:
        folder.mkdir()
        torch.manual_seed(0)
        classifier = Classifier(recipe, [str(word) for word in range(8)]).eval()
        classifier.features.fill()
        length = classifier.audio.clip_samples
        clips = np.zeros((len(heard), length), np.float32)
        clips[:, : heard.shape[1]] = heard[:, :length]
        with torch.no_grad():
            classifier.normaliser.measure([classifier.features(torch.from_numpy(clips))])
        self._paths = [folder / f"{form}.onnx" for form in FORMS]
        self._clip = np.rint(32_768 * clips[0]).astype(np.int16)
        export(classifier, self._paths[0], np.rint(32_768 * clips[:4]).astype(np.int16))
        original = self._paths[0].read_bytes()
        made = quantise(original, ({"samples": clips[at : at + 20]} for at in range(0, len(clips), 20)))
        self._paths[1].write_bytes(made)
        self.share = weight_bytes(made, of=original) / weight_bytes(original, of=original)
        self.sizes = f"{len(original) / 1e6:.2f} MB in float, {len(made) / 1e6:.2f} MB in int8"
        self.speed = self._measured()

    def side(self, part: str, form: str) -> Callable[[], float]:
        """Give milliseconds of a part in a form; both are measured when the first side of a round is asked."""

        def milliseconds() -> float:
            if (part, form) == ("file", FORMS[0]):
                self.speed = self._measured()
            pair = self.speed.file if part == "file" else self.speed.network
            return pair[FORMS.index(form)]

        return milliseconds

    def _measured(self) -> Speed:
        return measure_speed(*self._paths, self._clip)


def _ratio(side: str) -> Callable[..., float]:
    return lambda taken: taken[f"{side} in float"] / taken[f"{side} in int8"]
