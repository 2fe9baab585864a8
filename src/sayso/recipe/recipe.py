"""The recipe: the whole experiment as frozen dataclasses, read from YAML strictly and written back whole."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml

from sayso.audio import AudioFormat
from sayso.augment import AugmentConfig
from sayso.augment.gain import GainConfig
from sayso.augment.noise import NoiseConfig
from sayso.augment.spec_augment import SpecAugmentConfig
from sayso.augment.speed import SpeedConfig
from sayso.augment.time_shift import TimeShiftConfig
from sayso.config.overrides import load_yaml, merge, parse_overrides, retold
from sayso.config.schema import Range, Settings, dump, field_help, read
from sayso.data.datasets import DatasetConfig
from sayso.data.datasets.mixed import MixedConfig
from sayso.data.splits.settings import SplitSettings
from sayso.dsp.speed import SPEED_STEP, has_step
from sayso.errors import Fault, SettingsError
from sayso.features import FeatureConfig
from sayso.features.mel import MelConfig
from sayso.models import NetworkConfig
from sayso.models.tc_resnet import TCResNetConfig
from sayso.recipe.former import find_moved_keys, modernise
from sayso.recipe.misfits import find_misfits
from sayso.recipe.rejection import Rejection
from sayso.recipe.training import Training, is_recipe_file
from sayso.runs.sharing import without_names
from sayso.runtime.stream_settings import StreamSettings
from sayso.system.files import expand_home, why_unread

__all__ = [
    "Recipe",
    "Rejection",
    "Training",
    "is_recipe_file",
    "kept_recipe_from_text",
    "kept_values_from_text",
    "read_kept_recipe",
    "read_kept_values",
    "read_recipe",
    "recipe_from_text",
    "recipe_from_values",
    "recipe_yaml",
]

_WIDEST_LINE = 100
# What a brief recipe spells out even where it is as it is by default; beside them the augmentations.
_OFTEN_CHANGED = {
    "dataset": ("kind", "path", "speaker"),
    "split": ("by", "test_share"),
    "audio": ("sample_rate", "clip_seconds", "fit"),
    "features": ("kind",),
    "model": ("kind",),
    "training": ("learning_rate", "batch_size", "epochs", "seed"),
}


_KINDS = {"features": {"kind": MelConfig.kind}, "model": {"kind": TCResNetConfig.kind}}
"""What parts are of that say no kind."""


def _default_augment() -> tuple[AugmentConfig, ...]:
    gain = GainConfig(most_db=18.0, middle_db=-12.0)
    return (SpeedConfig(), TimeShiftConfig(), NoiseConfig(), gain, SpecAugmentConfig())


@dataclass(frozen=True, kw_only=True)
class Recipe(Settings):
    """The whole experiment. What a recipe leaves out has the value given here, and `recipes/base.yaml` spells out."""

    dataset: DatasetConfig
    """Where the clips come from."""
    split: SplitSettings = field(default_factory=SplitSettings)
    """Which clips test, which validate, and how many of the others train."""
    audio: AudioFormat = field(default_factory=AudioFormat)
    """Rate, length and fitting of clips."""
    level: Literal["recorded", "peak"] = "recorded"
    """Loudness: as recorded, or each clip brought to a peak of 1 as it enters the model; silence stays silence."""
    features: FeatureConfig = field(default_factory=MelConfig)
    """What the network gets to hear."""
    normalise: Literal["bin", "all", "none"] = "bin"
    """Bring features to mean 0 and deviation 1 over the training clips: each bin alone, all together, or not at all."""
    model: NetworkConfig = field(default_factory=TCResNetConfig)
    """The network."""
    test_time_speeds: tuple[Annotated[float, Range(least=0.5, most=2.0)], ...] = ()
    """Test-time augmentation: an answer is the mean of the logits of the clip played at these speeds, 1 being its own,
    and costs as many times as much; empty: of the clip as it is. Clips train as they are."""
    augment: tuple[AugmentConfig, ...] = field(default_factory=_default_augment)
    """Changes to training clips, in this order; those on samples come before those on features."""
    training: Training = field(default_factory=Training)
    """How the network is trained."""
    rejection: Rejection = field(default_factory=Rejection)
    """What is none of the words, and when the answer is "none of these"."""
    stream: StreamSettings = field(default_factory=StreamSettings)
    """How an endless stream is listened to, and when a word in it counts as detected."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where copies would be the same, or where clips, features and network do not fit one another."""
        yield from self._copies_faults()
        yield from self._stream_faults()
        yield from self._teacher_faults()
        yield from self._speed_faults()
        if self.rejection.cut_words and self.split.by == "each_speaker":
            problem = (
                f"is {self.rejection.cut_words}, but with split.by each_speaker cut words of whom is left out train"
            )
            yield Fault("rejection.cut_words", f"{problem}; use 0, or another split.by")
        if self.training.augmented == "beside" and not isinstance(self.dataset, MixedConfig):
            yield Fault(
                "training.augmented", f"is beside, but nothing stands beside the recordings of {self.dataset.kind}"
            )
        misfits = [fault.under("features") for fault in self.features.misfits(self.audio)]
        yield from misfits
        if not misfits:
            yield from (fault.under("model") for fault in find_misfits(self.model, self.features, self.audio))

    def _copies_faults(self) -> Iterator[Fault]:
        """Yield a fault where copies cannot be kept, or would be the same."""
        copies, changes = self.training.copies or 0, [part for part in self.augment if part.works_on == "samples"]
        if copies and self.features.learns and not self.features.splits:
            problem = f"is {copies}, but all of these features learns, so that none can be kept"
            yield Fault("training.copies", f"{problem}; use null")
        elif self.training.on == "clips" and copies and not changes:
            problem = f"is {copies}, but no augmentation changes samples, so that all would be the same"
            yield Fault("training.copies", f"{problem}; use null")
        elif self.training.on == "clips" and copies > 1 and not any(part.draws for part in changes):
            problem = f"is {copies}, but no augmentation draws how it changes samples, so that all would be the same"
            yield Fault("training.copies", f"{problem}; use 1")

    def _speed_faults(self) -> Iterator[Fault]:
        """Yield a fault where an answer cannot be the mean over these speeds."""
        if odd := [speed for speed in self.test_time_speeds if not has_step(speed)]:
            yield Fault("test_time_speeds", f"holds {odd[0]:g}, must be multiples of {SPEED_STEP:g}")
        if self.test_time_speeds and self.training.on == "streams":
            problem = "are given, but training.on is streams, where every frame is computed once, at one speed"
            yield Fault("test_time_speeds", f"{problem}; leave them out, or use training.on clips")

    def _teacher_faults(self) -> Iterator[Fault]:
        """Yield a fault where no one teacher would do, or where it could not hear what is trained on."""
        if not self.training.teacher:
            return
        several = self.split.folds is not None or self.split.by == "each_speaker"
        if several and self.training.teacher_file is None:
            by = "folds" if self.split.folds is not None else "by: each_speaker"
            problem = f"is a run, but split.{by} takes a teacher for each part"
            yield Fault("training.teacher", f"{problem}; name the recipe (.yaml) by which they are trained")
        if self.training.on == "streams":
            yield Fault("training.teacher", "is given, but a teacher hears no streams yet; use training.on clips")

    def _stream_faults(self) -> Iterator[Fault]:
        """Yield a fault where there is no training on streams."""
        if self.training.on == "clips":
            return
        if self.features.learns and not self.features.splits:
            problem = "is streams, which are represented once, but all of these features learns"
            yield Fault("training.on", f"{problem}; use clips")
        if not self.rejection.has_negatives:
            problem = "is streams, most of whose windows are none of the words, and nothing teaches what those are"
            yield Fault("training.on", f"{problem}; name rejection.recordings or rejection.negatives, or use clips")
        if self.stream.hop_seconds > self.audio.clip_seconds:
            problem = (
                f"is {self.stream.hop_seconds:g}, but a window hears {self.audio.clip_seconds:g} s (audio.clip_seconds)"
            )
            yield Fault("stream.hop_seconds", f"{problem}, and what lies between two is never heard; use at most that")
        if any(part.kind == "surround" for part in self.augment):
            yield Fault("training.on", "is streams, where words are surrounded already; take surround out of augment")


def read_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe file, what it extends, and `key=value` overrides on top.

    Raises:
        SettingsError: the file is missing or no YAML, or anything in it does not fit: all faults at once.
    """
    return recipe_from_values(_load(path, ()), source=str(path), laid_over=parse_overrides(overrides))


def recipe_from_values(values: Mapping[str, Any], *, source: str, laid_over: Mapping[str, Any] | None = None) -> Recipe:
    """Make a recipe from plain values, and overrides on top; `source` names the values in messages.

    Raises as `read_recipe`.
    """
    laid_over = laid_over or {}
    whole = merge(merge(_KINDS, values), laid_over)
    try:
        if faults := list(find_moved_keys(whole)):
            raise SettingsError(faults)
        return read(Recipe, whole)
    except SettingsError as error:
        raise retold(error, source=source, laid_over=laid_over) from error


def recipe_from_text(text: str, *, source: str) -> Recipe:
    """Read a whole recipe, as `recipe_yaml` writes it; `source` names it in messages.

    Raises:
        SettingsError: it is no YAML, or is no recipe.
    """
    return recipe_from_values(_values(text, source), source=source)


def read_kept_recipe(path: Path) -> Recipe:
    """Read the whole recipe that a run keeps, which an earlier Sayso may have written.

    Raises:
        SettingsError: the file cannot be read, is no YAML, or is no recipe.
    """
    return kept_recipe_from_text(_text(path), source=str(path))


def read_kept_values(path: Path) -> dict[str, Any]:
    """Read the plain values of the whole recipe that a run keeps; as `kept_values_from_text`."""
    return kept_values_from_text(_text(path), source=str(path))


def kept_recipe_from_text(text: str, *, source: str) -> Recipe:
    """Read the whole recipe that a model file keeps, which an earlier Sayso may have written; as `recipe_from_text`."""
    return recipe_from_values(kept_values_from_text(text, source=source), source=source)


def kept_values_from_text(text: str, *, source: str) -> dict[str, Any]:
    """Give the plain values of a whole recipe that a run or a model keeps, as this Sayso spells them.

    The parts it names need not be here. Raises SettingsError where it is no YAML.
    """
    return modernise(_values(text, source))


def recipe_yaml(recipe: Recipe, *, comments: bool = False, brief: bool = False, names: bool = True) -> str:
    """The recipe as YAML that `read_recipe` takes.

    Args:
        recipe: what to write.
        comments: each key with its help beside it, or above it where it is long.
        brief: the keys that people change, and what is not as it is by default; else all of it.
        names: people's names, paths and folders too; else these are left out, and it cannot be trained by.
    """
    lines: list[str] = []
    values = _brief(recipe) if brief else dump(recipe)
    for name, value in (values if names else without_names(values)).items():
        section = getattr(recipe, name)
        if isinstance(section, Settings):
            lines += [f"{name}:", *_section_lines(value, field_help(type(section)) if comments else {})]
        else:
            lines.append(f"{name}: {_inline(value)}" if value else f"{name}: []")
    return "\n".join(lines) + "\n"


def _brief(recipe: Recipe) -> dict[str, Any]:
    whole, values = dump(recipe), dump(recipe, changed=True)
    for name, keys in _OFTEN_CHANGED.items():
        changed: dict[str, Any] = values.get(name, {})
        values[name] = {key: changed.get(key, whole[name][key]) for key in whole[name] if key in {*keys, *changed}}
    values.setdefault("augment", [dump(part, changed=True) for part in recipe.augment])
    return {name: values[name] for name in whole if name in values}


def _section_lines(values: Mapping[str, Any], helps: Mapping[str, str]) -> Iterator[str]:
    for key, value in values.items():
        line = f"  {key}: {_inline(value)}"
        text = " ".join(helps.get(key, "").split())
        beside = f"{line:<36} # {text}"
        if not text:
            yield line
        elif "\n" not in line and len(beside) <= _WIDEST_LINE:
            yield beside
        else:
            yield from textwrap.wrap(text, _WIDEST_LINE, initial_indent="  # ", subsequent_indent="  # ")
            yield line


def _inline(value: object) -> str:
    """One value on one line; a list of sections as one section a line."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "".join(f"\n  - {_inline(entry)}" for entry in value)
    return (
        yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10**6)
        .removesuffix("\n...\n")
        .rstrip("\n")
    )


def _load(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    path = path.resolve()
    if path in below:
        raise SettingsError([Fault("extends", "goes round in a circle")], source=str(path))
    values = _values(_text(path), str(path))
    training = values.get("training")
    teacher = training.get("teacher") if isinstance(training, dict) else None
    if isinstance(teacher, str) and is_recipe_file(teacher):
        values["training"]["teacher"] = str(path.parent / expand_home(teacher))
    if "extends" not in values:
        return merge(_KINDS, values)  # what says no kind is of these, under whatever is laid over it too
    base = values.pop("extends")
    if not isinstance(base, str):
        found = "is empty" if base is None else f"is {base!r}"
        raise SettingsError([Fault("extends", f"{found}, must be a file name")], source=str(path))
    return merge(_load(path.parent / base, (*below, path)), values)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SettingsError([Fault("", "no such recipe; `sayso init FOLDER` writes one")], source=str(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        fault = Fault("", why_unread(error, "cannot be read as a text file"))
        raise SettingsError([fault], source=str(path)) from error


def _values(text: str, source: str) -> dict[str, Any]:
    """What a recipe's YAML holds; `source` names it in messages."""
    try:
        values: Any = load_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or "syntax"
        raise SettingsError([Fault("", f"{where}not YAML ({problem})")], source=source) from error
    if not isinstance(values, dict):
        raise SettingsError([Fault("", "must hold `key: value` lines, such as `dataset: {kind: fsdd}`")], source=source)
    return values
