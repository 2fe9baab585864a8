"""Five words in recorded sentences: misses at half a false alarm an hour, each sentence scored by a model without it.

`python -m benchmarks.live_words SENTENCES` trains `recipes/speech-commands/stream.yaml` five times, each time with
four fifths of the sentences as negatives (`benchmarks/sentence_folds.csv` says which), and replays the exported models
over streams of the fifth that is left: its sentences, noise of Speech Commands beneath, clips of its official testing
part on top, of the five words and of others (`--part validation`: those by which settings are chosen). Thresholds of a
fifth come from the streams of the other four, by word.

Noise recordings are those of the training, and voices may speak in several fifths. Replays of a sentence with other
noise add no independent hours.
"""

import argparse
import csv
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sayso.audio import quantise, read_sound, resample, to_float
from sayso.data.datasets import find_dataset
from sayso.data.made_streams import MadeStream, Piece, Spoken, make_stream
from sayso.experiment.run import Run
from sayso.experiment.train import train
from sayso.metrics.detection import Heard, score_detections
from sayso.metrics.rates import ratio_bootstrap, replayed_rate
from sayso.recipe.recipe import read_recipe
from sayso.runtime import Stream
from sayso.runtime.replay import Replay, Track
from sayso.studies.tuning.thresholds import draw_curve
from sayso.system.progress import Progress

WORDS = ("yes", "down", "left", "right", "stop")
OTHERS = ("no", "up", "go", "bed", "cat", "happy")
FOLDS, RATE = 5, 16_000
# Of the places in a stream, the others being clips of other words.
WORDS_SHARE = 0.65
LOUD_DB = 10.0


Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Replayed:
    """One stream and what a model that never heard its sentences says of it."""

    fold: int
    stream: MadeStream
    track: Track


def main() -> None:
    """Print misses, alarms and latency, by word and together."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    add_models(parser)
    options = parser.parse_args()
    score_folds(options, lambda own, fold: word_streams(own, fold, options))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `score_folds` takes, and which clips the streams hold."""
    parser.add_argument("sentences", type=Path, help="folder of the sentences")
    parser.add_argument("--part", choices=("validation", "test"), default="test", help="of the words in the streams")
    parser.add_argument("--replays", type=int, default=8)
    parser.add_argument("--alarms", type=float, default=0.5, help="false alarms an hour that each word may give")
    parser.add_argument("--folds", type=int, default=FOLDS, help="how many of the five are trained and scored")
    parser.add_argument("--smoothing", type=int, help="answers whose mean is a score; default: as the models say")
    parser.add_argument("--set", action="append", default=[], dest="overrides")


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add which models are trained, and where they are kept."""
    parser.add_argument("--recipe", type=Path, default=Path("recipes/speech-commands/stream.yaml"))
    parser.add_argument("--runs", type=Path, default=Path("runs/live-words"))


def score_folds(options: argparse.Namespace, streams: Callable[[Sequence[Path], int], Sequence[MadeStream]]) -> None:
    """Train `options.recipe` once a fold, replay the models over the streams of that fold's sentences, and print."""
    _report(*replay_folds(options, streams), options.alarms)


def replay_folds(
    options: argparse.Namespace, streams: Callable[[Sequence[Path], int], Sequence[MadeStream]]
) -> tuple[Replay, list[Replayed]]:
    """Train and replay as `score_folds` does; the first is for streams at the models' settings."""
    folds = _read_folds(options.sentences)
    replay, replayed = None, list[Replayed]()
    for fold, own in enumerate(folds[: options.folds]):
        others = [str(path) for place, paths in enumerate(folds) if place != fold for path in paths]
        run = _train(options.recipe, options.runs / str(fold), others, options.overrides)
        stream = Stream(run.path)
        settings = stream.settings.overridden({"smoothing": options.smoothing} if options.smoothing else {})
        replay = Replay(stream.labels, settings, sample_rate=RATE, window_samples=round(stream.window_seconds * RATE))
        replayed += [_replay(run, replay, fold, made) for made in streams(own, fold)]
    assert replay is not None
    return replay, replayed


def _read_folds(sentences: Path) -> list[list[Path]]:
    with Path(__file__).with_name("sentence_folds.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [[sentences / row["file"] for row in rows if int(row["fold"]) == fold] for fold in range(FOLDS)]


def _train(recipe: Path, folder: Path, negatives: Sequence[str], overrides: Sequence[str]) -> Run:
    if (folder / "manifest.json").is_file() and Run(folder).finished:
        return Run(folder)
    began = time.perf_counter()
    named = [f"rejection.recordings={list(negatives)!r}"] if read_recipe(recipe).rejection.has_negatives else []
    run = train(recipe, overrides=[*named, *overrides], out=folder)
    right = 100 * run.metrics()["test"]["accuracy"]
    print(f"trained {folder} in {time.perf_counter() - began:.0f} s: {right:.1f} % of clips", flush=True)
    return run


def word_streams(own: Sequence[Path], fold: int, options: argparse.Namespace) -> list[MadeStream]:
    """Give the streams of a fold: its sentences as often as `options.replays` says, with the words among them."""
    clips = find_dataset("speech_commands", [f"words={[*WORDS, *OTHERS]!r}"]).listing(Progress())
    tested = [clip for clip in clips.clips if clip.part == options.part]
    wanted = share_of([clip for clip in tested if clip.label in WORDS], fold, options.folds)
    others = share_of([clip for clip in tested if clip.label in OTHERS], fold, options.folds)
    pieces = [Piece(path.name, read_samples(path)) for path in own]
    noise = [read_samples(Path(path)) for path in clips.noise]
    made: list[MadeStream] = []
    for number in range(options.replays):
        rng = np.random.default_rng((fold, number))
        words = round(WORDS_SHARE * 2 * len(pieces))
        chosen = taken_in_turn(wanted, words, number) + taken_in_turn(others, 2 * len(pieces) - words, number)
        spoken = [
            Spoken(clip.label, read_samples(Path(clip.path)))
            for clip in (chosen[at] for at in rng.permutation(len(chosen)))
        ]
        made.append(make_stream(pieces, spoken, noise, rng, sample_rate=RATE))
    return made


def share_of(clips: Sequence[Item], fold: int, folds: int) -> list[Item]:
    """The share of the clips that stands in the streams of a fold."""
    order = np.random.default_rng(5).permutation(len(clips))[fold::folds]
    return [clips[place] for place in order]


def taken_in_turn(clips: Sequence[Item], count: int, number: int) -> list[Item]:
    """So many of the clips, going on where the replay before ended, and again from the first where they are few."""
    return [clips[(number * count + place) % len(clips)] for place in range(count)]


def read_samples(path: Path) -> NDArray[np.float32]:
    """Read a sound at the models' rate, (samples,), in [-1, 1]."""
    sound = read_sound(path)
    return resample(to_float(sound.samples), sound.sample_rate, RATE)


def _replay(run: Run, replay: Replay, fold: int, made: MadeStream) -> Replayed:
    answers = Stream(run.path).answer(quantise(made.samples))
    return Replayed(fold, made, replay.track(answers, seconds=made.seconds, truth=made.truth))


def _report(replay: Replay, replayed: Sequence[Replayed], alarms: float) -> None:
    folds = sorted({each.fold for each in replayed})
    heard: list[tuple[Replayed, Heard]] = []
    for fold in folds:
        thresholds = thresholds_for(replay, replayed, fold, alarms)
        print(f"fold {fold}: thresholds", dict(zip(replay.words, thresholds.round(3).tolist(), strict=True)))
        heard += [(each, replay.hear(each.track, thresholds)) for each in replayed if each.fold == fold]
    scores = score_detections([one for _, one in heard], replay.words)
    for name, own in [("all", scores), *scores["per_word"].items()]:
        misses, fired = own["misses"], own["alarms"]
        latency = own["latency"]["median"] if own["latency"] else float("nan")
        print(
            f"{name:6} missed {100 * misses['rate']:5.1f} % of {misses['n']}, {fired['n']} alarms, "
            f"{fired['per_hour']:.2f} an hour, latency {1000 * latency:.0f} ms"
        )
    print("misses by SNR:", _by_snr(heard, replay.words))
    seconds = {place.name: place.end - place.start for each in replayed for place in each.stream.places}
    fired = sorted(
        (each.stream.source_at(one.firings[alarm.firing].time), one.firings[alarm.firing].word, alarm.during or "-")
        for each, one in heard
        for alarm in one.outcome.alarms
    )
    hours = sum(seconds.values()) / 3600
    rate = replayed_rate(len(fired), scores["hours"], hours)
    counts = Counter(source for source, _, _ in fired)
    drawn = ratio_bootstrap([counts[name] for name in seconds], [scores["hours"] / len(seconds)] * len(seconds))
    over = f"{drawn[0]:.2f} to {drawn[1]:.2f} an hour" if drawn else "not to be told"
    print(
        f"{scores['hours']:.2f} hours replayed, {hours:.2f} independent; {len(counts)} of {len(seconds)} files fired, "
        f"over files like these {over}; by the independent hours at most {rate.at_most:.1f} an hour (exact, 95 %)"
    )
    print("alarms in", fired)
    print("latency of all:", scores["latency"])


def thresholds_for(replay: Replay, replayed: Sequence[Replayed], fold: int, alarms: float) -> NDArray[np.float64]:
    """Give the threshold of each word for a fold, by the streams of the others (its own, where there is no other)."""
    rest = [each.track for each in replayed if each.fold != fold] or [each.track for each in replayed]
    return np.array([_lowest_threshold(replay, rest, word, alarms) for word in replay.words])


def _lowest_threshold(replay: Replay, tracks: Sequence[Track], word: str, alarms: float) -> float:
    """The lowest threshold at which a word gives so many alarms an hour at most."""
    points = draw_curve(replay, tracks, word)
    return next((point.threshold for point in points if point.alarms_per_hour <= alarms), 1.0)


def _by_snr(heard: Sequence[tuple[Replayed, Heard]], words: Sequence[str]) -> str:
    rows = [
        (snr_db, place in one.outcome.misses, stretch.label)
        for each, one in heard
        for place, (stretch, snr_db) in enumerate(zip(one.truth, each.stream.snr_db, strict=True))
        if stretch.label in words
    ]
    loud = [missed for snr_db, missed, _ in rows if snr_db >= LOUD_DB]
    soft = [missed for snr_db, missed, _ in rows if snr_db < LOUD_DB]
    return f"from {LOUD_DB:g} dB {100 * np.mean(loud):.1f} %, below {100 * np.mean(soft):.1f} %"


if __name__ == "__main__":
    main()
