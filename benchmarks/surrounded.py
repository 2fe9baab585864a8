"""How well a model understands a word in a longer recording: with pauses and faint noise before and behind it.

`python -m benchmarks.surrounded RUN ...` scores each run on its own validation clips, or its test clips with `--part
test`, each read from its file and put between so many seconds of noise of so many decibels of full scale. The answer is
that of the most probable word.
"""

import numpy as np

from benchmarks.finished_runs import finished_runs
from sayso.audio import clip_from_samples, read_sound, to_float
from sayso.classifier.inference import predict_logits

SECONDS = (0.0, 0.5, 1.0, 2.0)
NOISE_DB = (-60, -45)


def main() -> None:
    """Print a line for each loudness of the noise, with how many are right after each length of it."""
    for run, prepared, rows in finished_runs(__doc__):
        targets, words = prepared.corpus.targets[rows], len(prepared.corpus.labels)
        sounds = [read_sound(prepared.corpus.clips[row].path) for row in rows]
        classifier = run.classifier()
        print(f"{run.path}: {len(rows)} clips, fit {classifier.audio.fit}", flush=True)
        for noise_db in NOISE_DB:
            right: list[float] = []
            for seconds in SECONDS:
                rng, clips = np.random.default_rng(0), []
                for sound in sounds:
                    pause = round(seconds * sound.sample_rate)
                    whole = np.pad(to_float(sound.samples), pause)
                    noisy = whole + 10.0 ** (noise_db / 20) * rng.standard_normal(len(whole))
                    clips.append(clip_from_samples(noisy.astype(np.float32), sound.sample_rate, classifier.audio))
                answers = predict_logits(classifier, np.stack(clips))[:, :words].argmax(axis=1)
                right.append(100 * float((answers == targets).mean()))
            shown = ", ".join(f"{each:.1f} % in {seconds:g} s" for each, seconds in zip(right, SECONDS, strict=True))
            print(f"  noise of {noise_db} dB: {shown}", flush=True)


if __name__ == "__main__":
    main()
