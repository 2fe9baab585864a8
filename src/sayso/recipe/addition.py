"""The recipe of a run that is given more clips: of words that it knows, or of new ones."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sayso.augment import AugmentConfig
from sayso.config.schema import read
from sayso.data.datasets import DatasetConfig
from sayso.data.datasets.folder.found import NONE_FOLDER
from sayso.data.datasets.mixed import mix
from sayso.data.datasets.other_words import OtherWordsConfig
from sayso.data.datasets.synthetic import SyntheticConfig
from sayso.data.voices.espeak import ACCENTS, find_language_faults, is_installed
from sayso.errors import DataError, Fault, SettingsError
from sayso.recipe.defaults import FOR_RECORDINGS
from sayso.recipe.recipe import Recipe, Training
from sayso.recipe.words import Words, accents_of
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["Addition", "add_clips", "describe_addition"]

# Two of eight words of Speech Commands' training part, five recordings each: with 100 voices 89 % of the new words were
# recognised, without 83 (augmentation left out). With 50 voices and as much training as for known words 91.8 % of the
# validation clips of new words and 95.8 of old ones, with 30 and as much as here, in four fifths of the time, 92.9 and
# 95.8 (four draws).
_VOICES = 30
_COPIES, _FEWEST_EPOCHS, _MOST_EPOCHS = 4, 8, 40


@dataclass(frozen=True)
class _Effort:
    """How much is trained."""

    steps: int
    batch: int
    most_copies: int | None
    """None: as many as the run was trained on."""


_FOR_KNOWN_WORDS = _Effort(steps=400, batch=128, most_copies=None)
_FOR_NEW_WORDS = _Effort(steps=200, batch=256, most_copies=3)


@dataclass(frozen=True)
class Addition:
    """A recipe with more clips in it."""

    recipe: Recipe
    new_words: tuple[str, ...]
    """Those that the run did not know, in order."""
    recordings: Mapping[str, int]
    """How many new recordings there are of each word."""
    voices: int
    """How many synthetic voices speak each of the new words."""
    note: str
    """Why there are no voices; empty where there are, or where no word is new."""


def add_clips(
    recipe: Recipe,
    known: Sequence[str],
    dataset: DatasetConfig,
    *,
    trained: int,
    language: str | None = None,
    none_of_these: DatasetConfig | None = None,
    progress: Progress,
) -> Addition:
    """Give the recipe of a run with more clips, which all train; what is tested and what validates stay.

    Synthetic voices speak the new words too, where espeak-ng is here and can tell them from the others. Words and
    sources are balanced, so that few clips teach as much as many.

    Args:
        recipe: of the run.
        known: its words.
        dataset: the new clips.
        trained: how many clips the run was trained on.
        language: what the voices speak, languages or accents parted by commas; None: as in the recipe, else English.
        none_of_these: more clips that say none of the words; they train as such where the run knows those.
        progress: where to report.

    Raises:
        DataError: the new clips cannot be used, or a word is written otherwise than in the run or among those that it
            rejects.
        SettingsError: there is no such language.
    """
    recordings = Counter(clip.label for clip in dataset.kept_listing(progress, recipe.split).clips)
    new_words = sorted(recordings.keys() - {*known})
    _check_spelling(new_words, known)
    if rejected := sorted({*new_words} & {*recipe.dataset.reject_words}):
        raise DataError(
            f"'{rejected[0]}' is among the run's dataset.reject_words, which are to be told from its words; train anew "
            "with it as a word"
        )
    languages = accents_of(language) if language is not None else next(_languages(recipe), ACCENTS)
    if is_installed() and (faults := list(find_language_faults(languages))):
        raise SettingsError([Fault("--language", fault.message) for fault in faults])
    voices, note = _voices(new_words, known, languages) if new_words else (None, "")
    beside = [dataset] if voices is None else [dataset, voices]
    # Copies that are all alike teach what few recordings say too well.
    keeps = recipe.training.copies and (recipe.training.on == "streams" or any(part.draws for part in recipe.augment))
    augment = recipe.augment if keeps else _augmentations()
    effort = _FOR_NEW_WORDS if new_words else _FOR_KNOWN_WORDS
    copies = (recipe.training.copies if keeps else None) or _COPIES
    epochs = int(np.clip(effort.steps * effort.batch // max(1, trained), _FEWEST_EPOCHS, _MOST_EPOCHS))
    rejection = recipe.rejection
    if none_of_these and rejection.has_negatives:
        rejection = replace(rejection, negatives=(*rejection.negatives, none_of_these))
    elif none_of_these:
        progress.note(f"what lies in {NONE_FOLDER} is left out: the run learned no sounds that are none of its words")
    if recipe.training.on == "streams":
        # As many windows in all as the run itself heard: many epochs of few clips would be minutes of them.
        windows = max(1, rejection.windows * min(epochs, recipe.training.epochs) // epochs)
        rejection = replace(rejection, windows=windows)
    training = replace(
        Training(),
        on=recipe.training.on,
        learning_rate=recipe.training.learning_rate,
        batch_size=effort.batch,
        threads=recipe.training.threads,
        device=recipe.training.device,
        seed=recipe.training.seed,
        epochs=epochs,
        copies=min(copies, effort.most_copies or copies),
        balance="sources",
        keep="last",
    )
    mixed = mix(recipe.dataset, beside, untested_words=new_words)
    return Addition(
        replace(recipe, dataset=mixed, augment=augment, rejection=rejection, training=training),
        tuple(new_words),
        recordings,
        0 if voices is None else _VOICES,
        note,
    )


def _check_spelling(new_words: Sequence[str], known: Sequence[str]) -> None:
    spelt = {word.strip().casefold(): word for word in known}
    for word in new_words:
        if other := spelt.get(word.strip().casefold()):
            raise DataError(
                f"'{word}' and the run's '{other}' differ in capitals or spaces alone; give the folder the run's "
                "spelling if the word is the same, another name if not"
            )


def _languages(recipe: Recipe) -> Iterator[tuple[str, ...]]:
    """Yield the languages that synthetic voices of the recipe speak."""
    for each in (recipe.dataset, *getattr(recipe.dataset, "training", ()), *recipe.rejection.negatives):
        if isinstance(each, SyntheticConfig | OtherWordsConfig):
            yield each.languages


def _voices(
    new_words: Sequence[str], known: Sequence[str], languages: tuple[str, ...]
) -> tuple[SyntheticConfig | None, str]:
    """Voices that speak the new words; or none, and why."""
    if not is_installed():
        return None, "the extra voices is not installed"
    texts = {label: re.sub(r"[-_]+", " ", label).strip() for label in (*known, *new_words)}
    try:
        Words(texts, languages)
    except SettingsError as error:
        return None, error.faults[0].message
    spoken = tuple(texts[word] for word in new_words)
    own = SyntheticConfig(words=tuple(new_words), texts=spoken, languages=languages, voices=_VOICES, clips_per_voice=1)
    return own, ""


def _augmentations() -> tuple[AugmentConfig, ...]:
    return tuple(read(AugmentConfig, each) for each in FOR_RECORDINGS)


def describe_addition(addition: Addition) -> str:
    """Say what is added, in one line."""
    counts = ", ".join(f"{count} of '{word}'" for word, count in sorted(addition.recordings.items()))
    voices = f", and {counted(addition.voices, 'synthetic voice')} of each new word" if addition.voices else ""
    lacking = f" (no voices beside them: {addition.note})" if addition.note else ""
    return f"{counted(sum(addition.recordings.values()), 'recording')} added ({counts}){voices}{lacking}"
