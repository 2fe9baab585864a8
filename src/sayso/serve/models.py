"""The models that are served, opened once for all clients, and which of them answers for which word."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, count

from sayso.errors import Fault, SettingsError
from sayso.runtime import Recognizer, Stream, StreamSettings
from sayso.system.wording import listed

__all__ = ["ServedModel", "name_models", "share_words"]

_SHOWN_WORDS = 10
_VERSION_DIGITS = 12


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model, and the words that it answers for."""

    recognizer: Recognizer
    settings: StreamSettings | None
    """How it is listened with; None: as its file says."""
    words: tuple[str, ...]
    """Those of its words that no model before it has."""
    version: str
    """The first digits of the file's SHA-256: another one is another model."""

    def listen(self, sample_rate: float | None = None) -> Stream:
        """Begin a stream; it shares all that is open with the others. As `Stream`."""
        return Stream(self.recognizer, sample_rate=sample_rate, settings=self.settings)


def share_words(
    models: Sequence[tuple[Recognizer, StreamSettings | None]], tell: Callable[[str], None], *, leave_out: bool = False
) -> tuple[ServedModel, ...]:
    """Say which model answers for which word: where several have it, the first.

    Args:
        models: opened, each with what it is listened by.
        tell: takes what a person should know of them.
        leave_out: a model that has no word of its own is served elsewhere, so it is left out here, and told.

    Raises:
        SettingsError: a model has no word that those before it have not, and is not to be left out.
        ModelError: its `stream.onnx` cannot be used.
    """
    owners: dict[str, Recognizer] = {}
    served: list[ServedModel] = []
    for recognizer, settings in models:
        words = tuple(word for word in recognizer.labels if word not in owners)
        if not words:
            shown = listed(list(recognizer.labels), _SHOWN_WORDS, count_rest=True)
            what = f"{recognizer.path} has no word that an earlier model has not ({shown})"
            if leave_out:
                tell(f"{what}: it answers by --http alone")
                continue
            raise SettingsError([Fault("--model", f"{what}; leave it out")])
        for word in recognizer.labels:
            if word not in words:
                tell(f"'{word}' is a word of {owners[word].path} and of {recognizer.path}; the first answers for it")
        owners |= dict.fromkeys(words, recognizer)
        served.append(_serve(recognizer, settings, words, tell))
    return tuple(served)


def name_models(
    models: Sequence[tuple[Recognizer, StreamSettings | None]], tell: Callable[[str], None]
) -> dict[str, ServedModel]:
    """Give each model, with all of its words, the name that it is asked for by: that of its folder.

    A file of another name than `model.onnx` is called by its own; of several of one name, later ones have a number.

    Args:
        models: opened, each with what it is listened by.
        tell: takes what a person should know of them.

    Raises:
        ModelError: its `stream.onnx` cannot be used.
    """
    named: dict[str, ServedModel] = {}
    for recognizer, settings in models:
        path = recognizer.path.resolve()
        wanted = (path.parent.name if path.name == "model.onnx" else path.stem) or "model"
        name = next(name for name in chain([wanted], (f"{wanted}-{n}" for n in count(2))) if name not in named)
        named[name] = _serve(recognizer, settings, recognizer.labels, tell)
    return named


def _serve(
    recognizer: Recognizer, settings: StreamSettings | None, words: tuple[str, ...], tell: Callable[[str], None]
) -> ServedModel:
    model = ServedModel(recognizer, settings, words, recognizer.sha256[:_VERSION_DIGITS])
    # Here, so that what is wrong with it is told before anybody asks, and no client waits for a file.
    if note := model.listen().note:
        tell(f"{recognizer.path}: {note}")
    return model
