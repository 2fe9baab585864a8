"""Finished runs held against each other: on the clips that all of them were tested on, without another training."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.checkpoint import load_model
from sayso.classifier.cost import count_multiply_adds
from sayso.data.corpus import Corpus
from sayso.errors import DataError, Fault, SaysoError, SettingsError
from sayso.recipe.prepared import pack_clips
from sayso.recipe.recipe import Recipe, read_kept_recipe
from sayso.runs.folder import RunFolder
from sayso.runs.manifest import split_label
from sayso.runs.predictions import Predictions
from sayso.studies.comparison.clips import ComparedClips
from sayso.studies.comparison.costs import time_answer
from sayso.studies.comparison.table import name_limits, score_row
from sayso.studies.comparison.verdicts import judge_pairs, name_nameless
from sayso.studies.trials.answers import Answers
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["ComparedRuns", "are_runs", "compare_runs"]

_LEAST_RUNS = 2
_Key = tuple[str, str, str]


@dataclass(frozen=True)
class ComparedRuns:
    """What became of it."""

    table: dict[str, Any]
    """As `comparison.json` holds it."""
    clips: ComparedClips | None
    """What each run heard; None: the clips cannot be opened any more."""


@dataclass(frozen=True, eq=False)
class _Answered:
    """A finished run, and its answers by clip: path, where it starts, word."""

    run: RunFolder
    predictions: Predictions

    @property
    def name(self) -> str:
        return self.run.path.resolve().name

    @cached_property
    def places(self) -> dict[_Key, int]:
        return {(clip.clip, clip.start_seconds, clip.label): row for row, clip in enumerate(self.predictions.clips)}

    @cached_property
    def recipe(self) -> Recipe:
        return read_kept_recipe(self.run.recipe)


def are_runs(sources: Sequence[str | Path]) -> bool:
    """Whether finished runs are meant, by their folders.

    Raises:
        SettingsError: some are runs, and others are recipes or clips.
    """
    runs = [source for source in sources if RunFolder(Path(source)).manifest_file.is_file()]
    if runs and len(runs) < len(sources):
        other = next(source for source in sources if source not in runs)
        told = f"{runs[0]} is a run and {other} is none; compare runs with runs, or recipes with recipes"
        raise SettingsError([Fault("RECIPE", told)])
    return bool(runs)


def compare_runs(sources: Sequence[str | Path], progress: Progress) -> ComparedRuns:
    """Rank finished runs on the clips that all of them were tested on, and test which differ.

    Each answer is that of a model which had not learned from the clip.

    Args:
        sources: folders of runs.
        progress: where to report.

    Raises:
        SettingsError: fewer than two, or two of one name.
        RunError: one is unfinished or damaged.
        DataError: no clip was tested by all of them.
    """
    runs = [_read(Path(source)) for source in sources]
    names = [one.name for one in runs]
    if len(runs) < _LEAST_RUNS or len(set(names)) < len(names):
        raise SettingsError([Fault("RUN", f"name at least {_LEAST_RUNS} runs, each once and each of another name")])
    keys = [key for key in runs[0].places if all(key in other.places for other in runs)]
    if not keys:
        told = ", ".join(f"{one.name} tested {counted(len(one.places), 'clip')}" for one in runs)
        raise DataError(
            f"no clip was tested by all of these runs ({told}); train both on the same split, or compare recipes"
        )
    # As the run says that knows most of them; an earlier recipe may not have named them.
    speakers = max((_speakers(one, keys) for one in runs), key=lambda told: sum(each is not None for each in told))
    answers = {one.name: _answers(one, keys, speakers) for one in runs}
    ranked = sorted(answers, key=lambda name: (-float(answers[name].mean.mean()), name))
    by_name = {one.name: one for one in runs}
    ordered = [by_name[name] for name in ranked]
    pairs = judge_pairs({name: answers[name] for name in ranked})
    opened, gone = _open(ordered, progress)
    known = len({each for each in speakers if each is not None})
    table = {
        "of_runs": True,
        **_split(ordered),
        "clips": len(keys),
        "speakers": known,
        "notes": [*_notes(ordered, keys, speakers), *gone, *name_limits(known, len(pairs))],
        "recipes": [
            {"rank": rank, **score_row(one.name, answers[one.name]), **_counts(one)}
            for rank, one in enumerate(ordered, 1)
        ],
        "pairs": [asdict(pair) | {"ci95": list(pair.ci95) if pair.ci95 else None} for pair in pairs],
        "measured": {one.name: _measured(one) for one in ordered},
    }
    return ComparedRuns(table, _clips(ordered, keys, *opened) if opened else None)


def _read(path: Path) -> _Answered:
    run = RunFolder.open(path)
    run.check_finished()
    return _Answered(run, run.predictions())


def _speakers(one: _Answered, keys: Sequence[_Key]) -> tuple[str | None, ...]:
    return tuple(one.predictions.clips[one.places[key]].speaker or None for key in keys)


def _answers(one: _Answered, keys: Sequence[_Key], speakers: tuple[str | None, ...]) -> Answers:
    right = one.predictions.right[[one.places[key] for key in keys]].astype(np.float64)[None]
    return Answers(right, speakers, tuple((*key, speaker or "") for key, speaker in zip(keys, speakers, strict=True)))


def _split(runs: Sequence[_Answered]) -> dict[str, Any]:
    """What stands beside the scores: of splits that differ each by itself."""
    manifests = [one.run.manifest() for one in runs]
    tested = [len({clip.speaker for clip in one.predictions.clips if clip.speaker}) for one in runs]
    labels = list(dict.fromkeys(split_label(*each) for each in zip(manifests, tested, strict=True)))
    shared = [manifest.get("speakers_shared") for manifest in manifests]
    return {
        "split": labels[0].partition(":")[0] if len(labels) == 1 else "different splits",
        "split_label": "; ".join(filter(None, labels)),
        "random_label": "",
        "speakers_shared": None if None in shared else max(each or 0 for each in shared),
        "folds": 1,
        "seeds": [],
        "threads": manifests[0].get("threads"),
    }


def _notes(runs: Sequence[_Answered], keys: Sequence[_Key], speakers: Sequence[str | None]) -> Iterator[str]:
    yield "each is one training: how far trainings differ by luck is in no interval and no verdict"
    if any(len(one.places) > len(keys) for one in runs):
        told = ", ".join(f"{one.name} {len(one.places):,}" for one in runs)
        yield f"only {counted(len(keys), 'clip')} that all were tested on count; each tested: {told}"
    yield from name_nameless(speakers)
    if len({frozenset(one.predictions.labels) for one in runs}) > 1:
        told = ", ".join(f"{one.name} {len(one.predictions.labels):,}" for one in runs)
        yield f"they chose among different words ({told}), and who chooses among fewer has fewer mistakes to make"


def _counts(one: _Answered) -> dict[str, int]:
    """Count parameters and multiply-adds of the run's model."""
    model = load_model(one.run.weights)
    return {"parameters": model.parameters_count, "multiply_adds": count_multiply_adds(model)}


def _measured(one: _Answered) -> dict[str, float]:
    manifest: Mapping[str, Any] = one.run.manifest()
    # How long an answer takes does not depend on what is heard.
    noise = np.random.default_rng(0).integers(-1_000, 1_000, one.recipe.audio.clip_samples).astype(np.int16)
    return {
        "training_seconds": manifest["training_seconds"],
        "cpu_seconds": manifest["cpu_seconds"],
        "milliseconds_an_answer": round(time_answer(one.run.onnx, [noise]), 3),
    }


def _open(runs: Sequence[_Answered], progress: Progress) -> tuple[tuple[Corpus, tuple[str, ...]] | None, list[str]]:
    """The clips, to be heard, as the first of the runs that can gets them, and their licences; or a note."""
    why = ""
    for one in runs:
        try:
            return (pack_clips(one.recipe, progress).corpus, one.recipe.dataset.licences()), []
        except SaysoError as error:
            why = why or str(error)
    return None, [f"the clips cannot be heard here: {why}"]


def _clips(
    runs: Sequence[_Answered], keys: Sequence[_Key], corpus: Corpus, licences: tuple[str, ...]
) -> ComparedClips | None:
    starts = {(clip.path, _text(clip.start_seconds), clip.label): row for row, clip in enumerate(corpus.clips)}
    there = [key for key in keys if key in starts]
    labels = tuple(sorted({label for one in runs for label in one.predictions.labels}))
    shares = {one.name: _shares(one, there, labels) for one in runs}
    rows = np.array([starts[key] for key in there], np.int64)
    return ComparedClips(corpus, labels, rows, shares, licences) if there else None


def _shares(one: _Answered, keys: Sequence[_Key], labels: Sequence[str]) -> NDArray[np.float64]:
    wide = np.zeros((len(keys), len(labels)))
    columns = [labels.index(label) for label in one.predictions.labels]
    wide[:, columns] = one.predictions.probabilities[[one.places[key] for key in keys]]
    return wide


def _text(start_seconds: float | None) -> str:
    """As predictions hold it."""
    return "" if start_seconds is None else str(start_seconds)
