"""`sayso tune`: a model's thresholds, chosen and measured on hours of streams that it was not trained on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.tuned_file import write_tuned
from sayso.config.schema import dump
from sayso.data.splits.settings import EACH_SPEAKER
from sayso.errors import Fault, RunError, SettingsError
from sayso.experiment.run import Run, check_same_clips
from sayso.recipe.prepared import Prepared, prepare
from sayso.runs.manifest import write_manifest
from sayso.runs.model_card import make_card, write_card
from sayso.runtime import Recognizer, Stream, StreamSettings, WordThreshold
from sayso.runtime.replay import Replay
from sayso.runtime.stream_curve import StreamCurve
from sayso.studies.tuning.background import gather, materials
from sayso.studies.tuning.listeners import Listener, check_listeners, open_listeners, tell_listeners
from sayso.studies.tuning.listening import HeardPart, listen
from sayso.studies.tuning.material import Material, check_hours
from sayso.studies.tuning.page import write_tuning
from sayso.studies.tuning.scores import score_part
from sayso.studies.tuning.sound_store import open_store
from sayso.studies.tuning.thresholds import Choice, choose, curve_rows, draw_curve
from sayso.studies.tuning.verdict import judge
from sayso.system.files import check_writable
from sayso.system.progress import Progress

__all__ = ["Tuning", "tune"]

_ALARMS_ALLOWED, _MOST_HOURS = 2.0, 6.0
"""So long are streams by default that a word may fire so often in them, up to so many hours."""
_CHECKED_CLIPS = 32


@dataclass(frozen=True, eq=False)
class Tuning:
    """What came of tuning a run."""

    run: Run
    facts: dict[str, Any]
    """As `--json` prints them."""
    page: Path
    written: bool
    """Whether the model has its thresholds now."""


@dataclass(frozen=True, eq=False)
class _Listened:
    """What was said to the streams of both parts, and how it is decided on."""

    replay: Replay
    settings: StreamSettings
    parts: dict[str, HeardPart]
    unheard: tuple[str, ...]
    """Whom each of those who listened never heard; empty: the model itself listened."""
    itself: HeardPart | None
    """What the model itself said to the test streams, where others listened in its place."""
    notes: tuple[str, ...]

    def choose(self, rate: float, *, without: int | None = None) -> dict[str, Choice]:
        """Choose thresholds by the validation streams, all of them or those of all others who listened."""
        part = self.parts["validation"]
        tracks = part.tracks if without is None else part.tracks_of_others(without)
        return {word: choose(draw_curve(self.replay, tracks, word), rate) for word in self.replay.words}


@dataclass(frozen=True, eq=False)
class _Asked:
    """What a person asks for, checked."""

    rate: float
    """False alarms an hour of each word, above 0."""
    hours: float
    """Of each part."""
    rooms: float
    """Share of the words, and of synthetic voices, in simulated rooms."""

    @classmethod
    def of(cls, rate: float, hours: float | None, rooms: float) -> "_Asked":
        if not (math.isfinite(rate) and rate > 0):
            raise SettingsError([Fault("--false-alarms-per-hour", f"is {rate:g}, must be above 0, such as 0.5")])
        if hours is not None and (faults := list(check_hours(hours))):
            raise SettingsError(faults)
        if not 0 <= rooms <= 1:
            raise SettingsError([Fault("--rooms", f"is {rooms:g}, must be a share from 0 to 1")])
        chosen = min(_MOST_HOURS, _ALARMS_ALLOWED / rate) if hours is None else hours
        if chosen * rate < 1:
            problem = f"{chosen:g} h of streams is too short for {rate:g} false alarms an hour"
            raise SettingsError(
                [Fault("--hours", f"{problem}: not one would be allowed; give {math.ceil(100 / rate) / 100:g} or more")]
            )
        return cls(rate, chosen, rooms)


def tune(
    run: str | Path,
    *,
    background: Sequence[str | Path] = (),
    false_alarms_per_hour: float = 0.5,
    hours: float | None = None,
    rooms: float = 0.5,
    write: bool = False,
    keep_thresholds: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Tuning:
    """Choose thresholds that keep a rate of false alarms, word by word, and say what they cost.

    Streams are made of words of the validation part for choosing, of the test part for reporting, over background that
    neither shares with the other, nor with the training as far as that can be told. The exported model answers them in
    the runtime that is shipped.

    Where it was trained on every speaker (`split.by: each_speaker`), the models that left one of them out listen to
    that speaker's words in its place, exported alike, with thresholds that the others' words chose. The thresholds
    that it is given come from the words of all, and it listens to the test streams too, for false alarms alone.

    Args:
        run: a finished run's folder.
        background: recordings, or folders of them, in which none of the words is said; none: what is needed is made.
        false_alarms_per_hour: of each word, above 0.
        hours: of streams, in each part; None: as many as two alarms of a word take at that rate, 6 at most.
        rooms: share of the words that are said in simulated rooms, and of synthetic voices in the background.
        write: put thresholds and curves into the model.
        keep_thresholds: leave those that the model has where it is written: the curves alone are put into it.
        seed: of the streams.
        progress: where to report.

    Returns:
        What was measured; its page is written into the run's folder.

    Raises:
        SettingsError: a rate or a number of hours that is none, or hours too few for the rate.
        RunError: the run has not finished, has no exported model, or has no clips to choose or to report by.
        DataError: background without sound, or that the run was trained on; clips that cannot be opened.
        MissingExtraError: no background is given, and synthetic voices are not installed.
    """
    asked = _Asked.of(false_alarms_per_hour, hours, rooms)
    opened = _open(run)
    progress = progress or Progress()
    prepared = _prepare(opened, progress)
    with open_store() as store:
        found = gather(prepared, [Path(place) for place in background], store, progress, rooms=asked.rooms)
        made, what = materials(prepared, found, rooms=asked.rooms)
        with open_listeners(opened, prepared) as listeners:
            for part, material in made.items():
                _check_material(opened, part, material, listeners)
            listened = _listen(opened, listeners, made, asked, seed, progress)
    facts, curve, settings = _judge(listened, prepared, asked, what, found.notes)
    if write:
        kept = listened.settings if keep_thresholds else None
        clips = np.array(prepared.corpus.samples[prepared.split.test[:_CHECKED_CLIPS]])
        told = {"hours": asked.hours, "rooms": asked.rooms, "own_background": bool(background), "seed": seed}
        _write(opened, facts, kept or settings, curve, clips, asked=told, kept=kept is not None)
    page = write_tuning(facts, opened.path)
    return Tuning(opened, facts, page, write)


def _open(path: str | Path) -> Run:
    run = Run.open(path)
    run.check_finished()
    if not run.onnx.is_file():
        raise RunError(f"{run.path}: has no exported model (model.onnx), which is what listens; train it anew")
    check_writable(run.path)
    return run


def _prepare(run: Run, progress: Progress) -> Prepared:
    prepared = prepare(run.settings, progress)
    check_same_clips(run.manifest(), prepared, f"{run.path}: its clips have changed since it was trained")
    parts = (("validation", "choose thresholds by"), ("test", "report by"))
    check_listeners(run, prepared)
    for part, why in parts[prepared.split.kind == EACH_SPEAKER :]:
        if not len(prepared.rows(part)):
            raise RunError(f"{run.path}: its split has no {part} clips to {why}; train with another split")
    return prepared


def _check_material(run: Run, part: str, material: Material, listeners: Sequence[Listener]) -> None:
    if not len(material.rows):
        raise RunError(f"{run.path}: all clips of its {part} part are silent; train with another split")
    for listener in listeners:
        if not len(listener.hears(material).rows):
            raise RunError(f"{run.path}: all clips of {listener.unheard} are silent; train without them")


def _listen(
    run: Run,
    listeners: tuple[Listener, ...],
    made: dict[str, Material],
    asked: _Asked,
    seed: int,
    progress: Progress,
) -> _Listened:
    recognizer = Recognizer(run.onnx, threads=1)
    stream = Stream(recognizer)
    audio = recognizer.audio
    replay = Replay(stream.labels, stream.settings, sample_rate=audio.sample_rate, window_samples=audio.clip_samples)
    in_turn = tell_listeners(listeners)
    jobs: list[tuple[int, str, Listener | None]] = [(0, "validation", None), (1, "test", None)]
    jobs += [(1, "test", Listener(stream))] if in_turn else []
    heard: list[HeardPart] = []
    with progress.task(
        "listening to made streams", total=len(jobs) * round(asked.hours * 3600), unit="seconds"
    ) as task:
        for place, part, by in jobs:
            rng = np.random.default_rng([seed, place])
            heard.append(listen(listeners, replay, made[part], hours=asked.hours, rng=rng, task=task, by=by))
    return _Listened(
        replay,
        stream.settings,
        {"validation": heard[0], "test": heard[1]},
        tuple(one.unheard for one in listeners if one.unheard is not None),
        heard[2] if in_turn else None,
        tuple(note for note in (in_turn, listeners[0].stream.note) if note),
    )


def _judge(
    listened: _Listened, prepared: Prepared, asked: _Asked, what: str, notes: Sequence[str]
) -> tuple[dict[str, Any], StreamCurve, StreamSettings]:
    """Choose by validation streams, score by test streams; facts, curve and settings."""
    replay, test, clips = listened.replay, listened.parts["test"], prepared.corpus.clips
    choices = listened.choose(asked.rate)
    curves = {word: curve_rows(draw_curve(replay, test.tracks, word)) for word in replay.words}
    thresholds = {word: choice.threshold for word, choice in choices.items()}
    chosen_by = listened.parts["validation"]
    by_others = {
        name: {word: choice.threshold for word, choice in listened.choose(asked.rate, without=place).items()}
        for place, name in enumerate(listened.unheard)
    }
    facts: dict[str, Any] = {
        "false_alarms_per_hour": asked.rate,
        "background": what,
        "rooms": asked.rooms,
        "thresholds": thresholds,
        "chosen": {
            word: {
                "keeps_rate": choice.keeps,
                "alarms_per_hour": choice.point.alarms_per_hour,
                "miss_share": choice.point.miss_share,
            }
            for word, choice in choices.items()
        },
        "validation": {
            "replayed_hours": chosen_by.replayed_hours,
            "independent_hours": chosen_by.independent_hours,
        },
        "test": score_part(replay, test, [*by_others.values()] or [thresholds], clips),
        "curves": {
            word: [[row.threshold, row.alarms_per_hour, row.miss_share] for row in rows]
            for word, rows in curves.items()
        },
    }
    facts["each_speaker"] = None
    if listened.itself is not None:
        alone = score_part(replay, listened.itself, [thresholds] * len(by_others), clips)
        facts["each_speaker"] = {
            "thresholds_by_others": by_others,
            "alarms_of_the_model": alone["alarms"],
            "alarms_of_the_model_per_word": {word: own["alarms"] for word, own in alone["per_word"].items()},
        }
    facts["notes"] = [*judge(facts), *notes, *listened.notes]
    settings = replace(
        listened.settings,
        thresholds=tuple(WordThreshold(word=word, threshold=threshold) for word, threshold in thresholds.items()),
    )
    return facts, StreamCurve(curves, test.replayed_hours, test.independent_hours, what), settings


def _write(
    run: Run,
    facts: dict[str, Any],
    settings: StreamSettings,
    curve: StreamCurve,
    clips: NDArray[np.int16],
    *,
    asked: dict[str, Any],
    kept: bool,
) -> None:
    """Give the model its thresholds, and record in manifest and model card what it was given, and how it was asked."""
    manifest = run.manifest()
    tuned = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "false_alarms_per_hour": facts["false_alarms_per_hour"],
        "replayed_hours": facts["test"]["replayed_hours"],
        "independent_hours": facts["test"]["independent_hours"],
        "background": facts["background"],
        "thresholds": {word: settings.threshold_of(word) for word in facts["thresholds"]},
        "kept_thresholds": kept,
        "asked": asked,
    }
    card = make_card(dump(run.settings), {**manifest, "tuned": tuned}, run.metrics())
    sha256 = write_tuned(run.onnx, settings, curve, clips, card=card)
    write_card(run, card)
    manifest["tuned"] = tuned | {"model_sha256": sha256}
    write_manifest(run.manifest_file, manifest)
