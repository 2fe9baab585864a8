"""How well a model understands clips that are softer than recorded: a microphone far away, or turned low.

`python -m benchmarks.levels RUN ...` scores each run on its own validation clips, or its test clips with `--part test`,
as they are and softened by tens of decibels, rounded to 16 bits as a recording would be. How loud they are as recorded
is said first: the peaks that one clip in twenty, half of the clips, and all but one in twenty stay under, in dB of full
scale.
"""

import numpy as np

from benchmarks.finished_runs import finished_runs
from sayso.classifier.inference import predict_logits

SOFTER_DB = (0, 10, 20, 30, 40)


def main() -> None:
    """Print of each run how loud its clips are, and a line for each level."""
    for run, prepared, rows in finished_runs(__doc__):
        samples, targets = prepared.corpus.samples[rows], prepared.corpus.targets[rows]
        peaks = 20 * np.log10(np.abs(samples.astype(np.float64)).max(axis=1).clip(1) / 2**15)
        low, middle, high = np.quantile(peaks, (0.05, 0.5, 0.95))
        print(f"{run.path}: {len(rows)} clips, peaks {low:.0f}, {middle:.0f}, {high:.0f} dB", flush=True)
        classifier, words = run.classifier(), len(prepared.corpus.labels)
        for softer_db in SOFTER_DB:
            soft = np.round(samples * 10.0 ** (-softer_db / 20)).astype(np.int16)
            right = predict_logits(classifier, soft)[:, :words].argmax(axis=1) == targets
            print(f"  {softer_db:2} dB softer  {100 * right.mean():5.2f} %", flush=True)


if __name__ == "__main__":
    main()
