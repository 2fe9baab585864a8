"""False alarms in hours of synthetic speech, by the models and thresholds of `live_words`.

`python -m benchmarks.live_speech SENTENCES` takes the five models (trained first where they are not there), with the
thresholds that a fold of the sentences gets from the other four, and lets each hear its share of the hours: common
English words that sound like none of the five, said by those voice models of espeak-ng that speak in no training, noise
of Speech Commands beneath. Nobody speaks like that, so it says what the models make of much sound of one engine, and
not how often they would be wrong at home; and some of these words did train, in others' voices.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.live_words import (
    RATE,
    WORDS,
    add_models,
    add_options,
    read_samples,
    replay_folds,
    thresholds_for,
    word_streams,
)
from sayso.audio import quantise, resample
from sayso.data.datasets import find_dataset
from sayso.data.voices.espeak import ACCENTS, SAMPLE_RATE, speak
from sayso.data.voices.speakers import Speaker, draw_speakers
from sayso.data.voices.vocabulary import other_words
from sayso.metrics.rates import poisson_interval, poisson_upper_bound
from sayso.recipe.recipe import Recipe, read_recipe
from sayso.runtime import Stream
from sayso.system.progress import Progress

VOICES = 200
STREAM_SECONDS = 600
RATES, PITCHES, WORDS_A_SENTENCE = (110, 220), (5.0, 95.0), (4, 13)
PAUSE_SECONDS, LEVELS_DB, SNR_DB = (0.2, 1.2), (-32.0, -14.0), (10.0, 30.0)


def main() -> None:
    """Print false alarms an hour, by word and together, with their exact intervals."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    add_models(parser)
    parser.add_argument("--hours", type=float, default=10.0, help="of speech, over all folds")
    options = parser.parse_args()
    replay, replayed = replay_folds(options, lambda own, fold: word_streams(own, fold, options))
    speakers = unheard_speakers(read_recipe(options.recipe, options.overrides))
    noise = [read_samples(Path(path)) for path in find_dataset("speech_commands", []).listing(Progress()).noise]
    fired, heard, began = Counter[str](), 0.0, time.perf_counter()
    for fold in range(options.folds):
        thresholds = thresholds_for(replay, replayed, fold, options.alarms)
        for samples in speak_for(options.hours * 3600 / options.folds, speakers, noise, fold):
            seconds = len(samples) / RATE
            track = replay.track(Stream(options.runs / str(fold)).answer(quantise(samples)), seconds=seconds)
            fired.update(replay.words[each.place] for each in replay.decide(track, thresholds))
            heard += seconds / 3600
        print(
            f"fold {fold}: {heard:.2f} hours after {time.perf_counter() - began:.0f} s, {fired.total()} alarms",
            flush=True,
        )
    for name, count in [("all", fired.total()), *((word, fired[word]) for word in replay.words)]:
        low, high = poisson_interval(count, heard)
        bound = poisson_upper_bound(count, heard)
        print(
            f"{name:6} {count} alarms in {heard:.2f} hours of synthetic speech: {count / heard:.2f} an hour "
            f"({low:.2f} to {high:.2f}, exact; at most {bound:.2f}, one-sided)"
        )


def unheard_speakers(recipe: Recipe) -> list[Speaker]:
    """Draw speakers whose voice models speak none of the clips that a recipe learns from."""
    sources = (recipe.dataset, *recipe.rejection.negatives)
    heard = {clip.speaker or "" for source in sources for clip in source.listing(Progress()).clips}
    drawn = draw_speakers(VOICES, languages=ACCENTS, pitch=PITCHES, rng=np.random.default_rng(11))
    return [each for each in drawn if not any(f"_{each.variant}_" in name for name in heard)]


def speak_for(
    seconds: float, speakers: Sequence[Speaker], noise: Sequence[NDArray[np.float32]], seed: int
) -> Iterator[NDArray[np.float32]]:
    """Yield streams of speech, (samples,) at `RATE`, until they last so long together."""
    rng = np.random.default_rng((11, seed))
    vocabulary = sorted(other_words(WORDS, language="en-us"))
    while seconds >= 1:
        samples = np.zeros(int(min(seconds, STREAM_SECONDS)) * RATE, np.float32)
        seconds -= STREAM_SECONDS
        at = 0
        while at < len(samples):
            speaker = speakers[rng.integers(len(speakers))]
            text = " ".join(rng.choice(vocabulary, rng.integers(*WORDS_A_SENTENCE)))
            spoken = speak(
                text,
                language=speaker.language,
                variant=speaker.variant,
                words_per_minute=int(rng.integers(*RATES)),
                pitch=speaker.pitch,
            )
            said = resample(spoken, SAMPLE_RATE, RATE)[: len(samples) - at]
            if len(said):
                samples[at : at + len(said)] = said * _gain(said, rng.uniform(*LEVELS_DB))
            at += len(said) + int(rng.uniform(*PAUSE_SECONDS) * RATE)
        bed = np.resize(noise[rng.integers(len(noise))], len(samples))
        level = 20 * np.log10(max(1e-6, float(np.sqrt(np.mean(np.square(samples))))))
        yield np.clip(samples + bed * _gain(bed, level - rng.uniform(*SNR_DB)), -1, 1)


def _gain(samples: NDArray[np.float32], level_db: float) -> np.float32:
    """What brings samples to a level, in dB under a full-scale square."""
    return np.float32(10 ** (level_db / 20) / max(1e-6, float(np.sqrt(np.mean(np.square(samples))))))


if __name__ == "__main__":
    main()
